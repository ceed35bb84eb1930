/*
 * request_read — parts of a create request (contract 2.5) that others read as well: each is read
 * where it stands, as a function of a schema's table does, and refused with `wrong` when it has
 * another type.
 *
 * Statuses are those of wire/schema.h.
 */
#ifndef WR_WIRE_REQUEST_READ_H
#define WR_WIRE_REQUEST_READ_H

#include "core/command.h"
#include "wire/schema.h"

/* A ProfileSelector; *value is that of its member `value`, absent for runtime_default. */
enum wr_status wr_selector_read(struct wr_schema_input *input, enum wr_profile_kind *kind,
				struct wr_schema_value *value, const char *wrong);

/* A ConfigBundleRef. Without a digest, where none is needed, *digest is absent. */
enum wr_status wr_bundle_reference_read(struct wr_schema_input *input, struct wr_view *id,
					struct wr_view *digest, bool needs_digest,
					const char *wrong);

/* A list of CapabilityRequests; one of WorkspaceRefs or MountRefs. Packed into the texts. */
enum wr_status wr_capabilities_read(struct wr_schema_input *input, struct wr_pairs *out,
				    const char *wrong);
enum wr_status wr_references_read(struct wr_schema_input *input, struct wr_pairs *out,
				  const char *wrong);

/* Appends the text of a string, or an absent one, to the texts in the packed form of
 * core/command.h. Room was reserved. */
enum wr_status wr_schema_pack(struct wr_schema_input *input, const struct wr_schema_value *value);

#endif
