/* remote_state — how it stands with a remote Runtime, by its upstream. */
#ifndef WR_BACKEND_REMOTE_STATE_H
#define WR_BACKEND_REMOTE_STATE_H

enum wr_remote_state {
	WR_REMOTE_CONNECTING, /* never was up */
	WR_REMOTE_UP,
	WR_REMOTE_UNREACHABLE,	/* cannot connect, cut, or silent */
	WR_REMOTE_UNAUTHORIZED, /* 401, 403 */
	WR_REMOTE_UNSUPPORTED,	/* 404, 405, 501: it has no runtime-wide stream */
	WR_REMOTE_MALFORMED,	/* it speaks something else */
	WR_REMOTE_UNTRUSTED	/* TLS failed, or its certificate is not what it must be */
};

#endif
