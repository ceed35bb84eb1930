/* Numbers of BearSSL (bearssl_ssl.h, bearssl_x509.h) and alerts of TLS (RFC 8446 6) in words. */
#include "check.h"
#include "io/tls/tls_private.h"

struct text {
	unsigned number;
	const char *text;
};

/* "BAD_MAC (7): ..." */
#define ROW(name, number, words)                              \
	{                                                     \
		BR_ERR_##name, #name " (" #number "): " words \
	}

static const struct text errors[] = {
	ROW(BAD_PARAM, 1, "a parameter is wrong"),
	ROW(BAD_STATE, 2, "not in this state"),
	ROW(UNSUPPORTED_VERSION, 3, "the peer does not speak TLS 1.2"),
	ROW(BAD_VERSION, 4, "a record of another version, or not TLS at all"),
	ROW(BAD_LENGTH, 5, "a record of a wrong length"),
	ROW(TOO_LARGE, 6, "a record is too large"),
	ROW(BAD_MAC, 7, "a record was changed on its way"),
	ROW(NO_RANDOM, 8, "no entropy"),
	ROW(UNKNOWN_TYPE, 9, "a record of an unknown type"),
	ROW(UNEXPECTED, 10, "a record or message out of turn"),
	ROW(BAD_CCS, 12, "ChangeCipherSpec is malformed"),
	ROW(BAD_ALERT, 13, "an alert is malformed"),
	ROW(BAD_HANDSHAKE, 14, "a handshake message is malformed"),
	ROW(OVERSIZED_ID, 15, "a session id is too long"),
	ROW(BAD_CIPHER_SUITE, 16, "no cipher suite in common"),
	ROW(BAD_COMPRESSION, 17, "compression was asked for"),
	ROW(BAD_FRAGLEN, 18, "the fragment length is not the one asked for"),
	ROW(BAD_SECRENEG, 19, "secure renegotiation is not as it has to be"),
	ROW(EXTRA_EXTENSION, 20, "an extension that was not asked for"),
	ROW(BAD_SNI, 21, "the answer to the server name is malformed"),
	ROW(BAD_HELLO_DONE, 22, "ServerHelloDone is malformed"),
	ROW(LIMIT_EXCEEDED, 23, "a key of the peer is too large"),
	ROW(BAD_FINISHED, 24, "Finished does not match the handshake"),
	ROW(RESUME_MISMATCH, 25, "the session was resumed with other parameters"),
	ROW(INVALID_ALGORITHM, 26, "no algorithm in common"),
	ROW(BAD_SIGNATURE, 27, "a signature of the peer does not verify"),
	ROW(WRONG_KEY_USAGE, 28, "the key may not be used so"),
	ROW(NO_CLIENT_AUTH, 29, "the client has shown no certificate"),
	ROW(IO, 31, "input or output failed"),
	ROW(X509_INVALID_VALUE, 33, "a certificate is malformed"),
	ROW(X509_TRUNCATED, 34, "a certificate is cut"),
	ROW(X509_EMPTY_CHAIN, 35, "no certificate was shown"),
	ROW(X509_INNER_TRUNC, 36, "a certificate is malformed"),
	ROW(X509_BAD_TAG_CLASS, 37, "a certificate is malformed"),
	ROW(X509_BAD_TAG_VALUE, 38, "a certificate is malformed"),
	ROW(X509_INDEFINITE_LENGTH, 39, "a certificate is malformed"),
	ROW(X509_EXTRA_ELEMENT, 40, "a certificate is malformed"),
	ROW(X509_UNEXPECTED, 41, "a certificate is malformed"),
	ROW(X509_NOT_CONSTRUCTED, 42, "a certificate is malformed"),
	ROW(X509_NOT_PRIMITIVE, 43, "a certificate is malformed"),
	ROW(X509_PARTIAL_BYTE, 44, "a certificate is malformed"),
	ROW(X509_BAD_BOOLEAN, 45, "a certificate is malformed"),
	ROW(X509_OVERFLOW, 46, "a certificate is malformed"),
	ROW(X509_BAD_DN, 47, "a name in a certificate is malformed"),
	ROW(X509_BAD_TIME, 48, "a time in a certificate is malformed"),
	ROW(X509_UNSUPPORTED, 49,
	    "a certificate has a key or signature of a kind that is not "
	    "supported (RSA and ECDSA are)"),
	ROW(X509_LIMIT_EXCEEDED, 50, "a certificate has a key that is too large"),
	ROW(X509_WRONG_KEY_TYPE, 51, "a certificate has a key of the wrong kind"),
	ROW(X509_BAD_SIGNATURE, 52, "the signature of a certificate does not verify"),
	ROW(X509_TIME_UNKNOWN, 53,
	    "clock_unset: the clock of this machine is not set, so no "
	    "certificate can be judged"),
	ROW(X509_EXPIRED, 54, "a certificate has expired, or is not yet valid"),
	ROW(X509_DN_MISMATCH, 55, "the certificates do not follow on each other"),
	ROW(X509_BAD_SERVER_NAME, 56,
	    "the certificate is for another name (of addresses it cannot "
	    "be: give the name, or pin the key)"),
	ROW(X509_CRITICAL_EXTENSION, 57,
	    "a certificate has a critical extension that is not "
	    "supported"),
	ROW(X509_NOT_CA, 58, "a certificate was issued by one that is not a CA's"),
	ROW(X509_FORBIDDEN_KEY_USAGE, 59, "a certificate forbids this use of its key"),
	ROW(X509_WEAK_PUBLIC_KEY, 60, "a certificate has an RSA key below 2048 bits"),
	ROW(X509_NOT_TRUSTED, 62,
	    "the certificate is not vouched for by anybody who is trusted "
	    "here, or its key is not one that is pinned: give its authority, "
	    "or pin its key"),
};

#undef ROW
#define ROW(number, name)                                                                        \
	{BR_ERR_RECV_FATAL_ALERT + (number), "the peer refused: alert " #name " (" #number ")"}, \
	{                                                                                        \
		BR_ERR_SEND_FATAL_ALERT + (number),                                              \
			"the peer was refused: alert " #name " (" #number ")"                    \
	}

static const struct text alerts[] = {
	ROW(10, unexpected_message),
	ROW(20, bad_record_mac),
	ROW(22, record_overflow),
	ROW(40, handshake_failure),
	ROW(42, bad_certificate),
	ROW(43, unsupported_certificate),
	ROW(44, certificate_revoked),
	ROW(45, certificate_expired),
	ROW(46, certificate_unknown),
	ROW(47, illegal_parameter),
	ROW(48, unknown_ca),
	ROW(49, access_denied),
	ROW(50, decode_error),
	ROW(51, decrypt_error),
	ROW(70, protocol_version),
	ROW(71, insufficient_security),
	ROW(80, internal_error),
	ROW(86, inappropriate_fallback),
	ROW(90, user_canceled),
	ROW(100, no_renegotiation),
	ROW(109, missing_extension),
	ROW(110, unsupported_extension),
	ROW(112, unrecognized_name),
	ROW(116, certificate_required),
	ROW(120, no_application_protocol),
};

static const char *find(const struct text *rows, size_t count, unsigned number)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].number == number)
			return rows[i].text;
	return NULL;
}

const char *wr_tls_error_text(unsigned error)
{
	const char *text = find(errors, WR_COUNT(errors), error);

	if (error == 0)
		return NULL;
	if (text == NULL)
		text = find(alerts, WR_COUNT(alerts), error);
	return text != NULL ? text : "an alert or error of no name";
}
