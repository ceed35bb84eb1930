/* Whether a config bundle may be stored (contract 9). */
#include "core/config_bundle.h"

#include "bytes/utf8.h"
#include "check.h"
#include "bounds.h"

static enum wr_status refuse(struct wr_error *error, enum wr_status status, const char *detail)
{
	*error = (struct wr_error){.status = status, .detail = detail};
	return status;
}

static const char *blank_fault(const struct wr_config_bundle *bundle)
{
	if (wr_utf8_is_blank(bundle->revision))
		return "`revision` must not be blank";
	if (wr_utf8_is_blank(bundle->workspace_id))
		return "`workspace_id` must not be blank";
	if (wr_utf8_is_blank(bundle->created_at))
		return "`created_at` must not be blank";
	return wr_utf8_is_blank(bundle->source) ? "`source` must not be blank" : NULL;
}

/* All texts but the id, the digest and references, which have rules of their own. */
static const char *texts_fault(const struct wr_config_bundle *bundle)
{
	const struct wr_view fields[] = {bundle->revision, bundle->workspace_id, bundle->created_at,
					 bundle->source, bundle->detail};
	struct wr_view rest = bundle->profiles.packed;
	const char *fault = NULL;
	struct wr_row row;

	for (size_t i = 0; i < WR_COUNT(fields) && fault == NULL; i++)
		fault = wr_config_text_fault(fields[i]);
	while (fault == NULL && wr_rows_next(&rest, &row)) {
		fault = wr_config_text_fault(row.first);
		if (fault == NULL)
			fault = wr_config_text_fault(row.second);
	}
	rest = bundle->declarations.packed;
	while (fault == NULL && wr_rows_next(&rest, &row))
		fault = wr_config_text_fault(row.first);
	return fault;
}

static bool has_digest(const struct wr_config_bundle *bundle)
{
	char digest[WR_CONFIG_DIGEST_BYTES];

	wr_config_bundle_digest(bundle, digest);
	return wr_view_equal(bundle->digest, wr_view_of(digest, sizeof digest));
}

static bool has_blank_profile(const struct wr_config_bundle *bundle)
{
	struct wr_view rest = bundle->profiles.packed;
	struct wr_row row;

	while (wr_rows_next(&rest, &row))
		if (row.kind != WR_PROFILE_RUNTIME_DEFAULT && wr_utf8_is_blank(row.first))
			return true;
	return false;
}

static bool has_blank_name(const struct wr_config_bundle *bundle)
{
	struct wr_view rest = bundle->declarations.packed;
	struct wr_row row;

	while (wr_rows_next(&rest, &row))
		if (wr_utf8_is_blank(row.first))
			return true;
	return false;
}

/* What references of a kind may begin with. */
static const struct wr_view *prefixes_of(enum wr_declaration_kind kind)
{
	enum { PREFIXES = 5 };
	static const struct wr_view prefixes[][PREFIXES] = {
		[WR_DECLARATION_SECRET_REF] = {WR_VIEW_INIT("secret:"), WR_VIEW_INIT("secret-ref:"),
					       WR_VIEW_INIT("vault:"), WR_VIEW_INIT("keyring:")},
		[WR_DECLARATION_MOUNT_GRANT] = {WR_VIEW_INIT("mount:"),
						WR_VIEW_INIT("mount-grant:")},
		[WR_DECLARATION_NETWORK_POLICY] = {WR_VIEW_INIT("network:"),
						   WR_VIEW_INIT("network-policy:")},
		[WR_DECLARATION_SHELL_POLICY] = {WR_VIEW_INIT("shell:"),
						 WR_VIEW_INIT("shell-policy:")},
		[WR_DECLARATION_GIT_POLICY] = {WR_VIEW_INIT("git:"), WR_VIEW_INIT("git-policy:")},
		[WR_DECLARATION_CAPABILITY_GRANT] = {WR_VIEW_INIT("capability:"),
						     WR_VIEW_INIT("capability-grant:")},
		[WR_DECLARATION_UNSUPPORTED] = {WR_VIEW_INIT("")},
	};

	return prefixes[kind];
}

static enum wr_status check_reference(const struct wr_row *row, struct wr_error *error)
{
	const struct wr_view *prefix = prefixes_of((enum wr_declaration_kind)row->kind);
	struct wr_view reference = row->second;

	if (row->kind == WR_DECLARATION_UNSUPPORTED)
		return refuse(error, WR_NO_DECLARATION, "a declaration of kind `unsupported`");
	if (reference.bytes > WR_CONFIG_TEXT_BYTES_MAX)
		return refuse(error, WR_INVALID, "a reference is over 2048 bytes");
	if (!wr_config_reference_is_valid(reference))
		return refuse(error, WR_INVALID,
			      "a reference has a character that is not of [A-Za-z0-9:._@+-]");
	while (prefix->data != NULL && !wr_view_starts(reference, *prefix))
		prefix++;
	if (prefix->data == NULL)
		return refuse(error, WR_NO_DECLARATION,
			      "a reference does not begin as those of its kind do");
	if (reference.bytes == prefix->bytes)
		return refuse(error, WR_INVALID, "a reference names nothing behind its prefix");
	return WR_OK;
}

static enum wr_status check_references(const struct wr_config_bundle *bundle,
				       struct wr_error *error)
{
	struct wr_view rest = bundle->declarations.packed;
	enum wr_status status = WR_OK;
	struct wr_row row;

	while (status == WR_OK && wr_rows_next(&rest, &row))
		status = check_reference(&row, error);
	return status;
}

enum wr_status wr_config_bundle_check(const struct wr_config_bundle *bundle, struct wr_error *error)
{
	const char *fault;

	*error = (struct wr_error){.status = WR_OK};
	if (!wr_config_bundle_is_sound(bundle))
		return refuse(error, WR_TOO_LARGE,
			      "over 128 profiles, 512 declarations or 256 KiB of texts");
	if (!wr_config_bundle_id_is_valid(bundle->id))
		return refuse(
			error, WR_INVALID,
			"`id` must be 1 to 128 characters of [A-Za-z0-9._:-] and begin with a "
			"letter or digit");
	if (!wr_config_digest_is_valid(bundle->digest))
		return refuse(error, WR_INVALID, "`digest` must be 64 lower-case hex digits");
	fault = blank_fault(bundle);
	if (fault == NULL)
		fault = texts_fault(bundle);
	if (fault != NULL)
		return refuse(error, WR_INVALID, fault);
	if (!has_digest(bundle))
		return refuse(error, WR_DIGEST_MISMATCH,
			      "`digest` is not that of what the bundle says");
	if (has_blank_profile(bundle))
		return refuse(error, WR_NOT_FOUND, "the value of a profile must not be blank");
	if (has_blank_name(bundle))
		return refuse(error, WR_INVALID, "the name of a declaration must not be blank");
	return check_references(bundle, error);
}
