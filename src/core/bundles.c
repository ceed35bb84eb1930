#include "core/bundles.h"

#include "check.h"
#include "bounds.h"

#include <string.h>

void wr_bundles_init(struct wr_bundles *self, struct wr_allocator *allocator)
{
	*self = (struct wr_bundles){.allocator = allocator};
}

static size_t array_bytes(uint32_t capacity)
{
	return capacity * sizeof(struct wr_bundle *);
}

void wr_bundles_discard(struct wr_bundles *self, struct wr_bundle *bundle)
{
	if (bundle != NULL)
		wr_allocator_free(self->allocator, bundle, sizeof *bundle + bundle->text_bytes);
}

void wr_bundles_deinit(struct wr_bundles *self)
{
	for (uint32_t i = 0; i < self->count; i++) {
		struct wr_bundle *bundle = self->slots[i];

		while (bundle != NULL) {
			struct wr_bundle *newer = bundle->newer;

			wr_bundles_discard(self, bundle);
			bundle = newer;
		}
	}
	wr_allocator_free(self->allocator, self->slots, array_bytes(self->capacity));
}

/* ---- finding ---- */

/* Index of the first whose id is not below `id`, or with `is_above` is above it. */
static uint32_t place_of(const struct wr_bundles *self, struct wr_view id, bool is_above)
{
	uint32_t low = 0, high = self->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = wr_view_compare(self->slots[middle]->value.id, id);

		if (order > 0 || (order == 0 && !is_above))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* The oldest kept version; NULL: none. */
static struct wr_bundle *find_oldest(const struct wr_bundles *self, struct wr_view id)
{
	uint32_t place = place_of(self, id, false);

	if (place == self->count || !wr_view_equal(self->slots[place]->value.id, id))
		return NULL;
	return self->slots[place];
}

static struct wr_bundle *newest_of(struct wr_bundle *bundle)
{
	while (bundle->newer != NULL)
		bundle = bundle->newer;
	return bundle;
}

/* Of versions from the oldest on; NULL: all came later. */
static struct wr_bundle *newest_at(struct wr_bundle *bundle, uint64_t sequence)
{
	if (bundle == NULL || bundle->sequence > sequence)
		return NULL;
	while (bundle->newer != NULL && bundle->newer->sequence <= sequence)
		bundle = bundle->newer;
	return bundle;
}

const struct wr_bundle *wr_bundles_find(const struct wr_bundles *self, struct wr_view id)
{
	struct wr_bundle *oldest = find_oldest(self, id);

	return oldest == NULL ? NULL : newest_of(oldest);
}

const struct wr_bundle *wr_bundles_find_at(const struct wr_bundles *self, struct wr_view id,
					   uint64_t sequence)
{
	return newest_at(find_oldest(self, id), sequence);
}

const struct wr_bundle *wr_bundles_next_at(const struct wr_bundles *self, struct wr_view after,
					   uint64_t sequence)
{
	uint32_t place = after.data == NULL ? 0 : place_of(self, after, true);
	const struct wr_bundle *found = NULL;

	while (found == NULL && place < self->count)
		found = newest_at(self->slots[place++], sequence);
	return found;
}

const struct wr_bundle *wr_bundles_at(const struct wr_bundles *self, uint32_t index)
{
	wr_assert(index < self->count);
	return newest_of(self->slots[index]);
}

bool wr_bundles_have_room(const struct wr_bundles *self, const struct wr_config_bundle *value)
{
	const struct wr_bundle *old = wr_bundles_find(self, value->id);
	uint64_t bytes = self->bytes - (old == NULL ? 0 : old->text_bytes);

	return (old != NULL || self->count < WR_CONFIG_BUNDLE_COUNT_MAX) &&
	       bytes + wr_config_bundle_bytes(value) <= WR_CONFIG_BUNDLES_BYTES_MAX;
}

/* ---- changing ---- */

static enum wr_status reserve(struct wr_bundles *self)
{
	uint32_t capacity = self->capacity == 0 ? 8 : self->capacity * 2;
	struct wr_bundle **slots;

	if (self->count < self->capacity)
		return WR_OK;
	slots = wr_allocator_resize(self->allocator, self->slots, array_bytes(self->capacity),
				    array_bytes(capacity));
	if (slots == NULL)
		return WR_NO_MEMORY;
	self->slots = slots;
	self->capacity = capacity;
	return WR_OK;
}

/* Copies a text behind *at and moves *at on. */
static void keep(char **at, struct wr_view *text)
{
	if (text->data == NULL)
		return;
	if (text->bytes != 0)
		memcpy(*at, text->data, text->bytes);
	text->data = *at;
	*at += text->bytes;
}

struct wr_bundle *wr_bundles_prepare(struct wr_bundles *self, const struct wr_config_bundle *value)
{
	size_t bytes = wr_config_bundle_bytes(value);
	struct wr_bundle *bundle;
	char *at;

	if (reserve(self) != WR_OK)
		return NULL;
	bundle = wr_allocator_take(self->allocator, sizeof *bundle + bytes);
	if (bundle == NULL)
		return NULL;
	*bundle = (struct wr_bundle){.text_bytes = bytes, .value = *value};
	at = (char *)&bundle[1];
	keep(&at, &bundle->value.id);
	keep(&at, &bundle->value.digest);
	keep(&at, &bundle->value.revision);
	keep(&at, &bundle->value.workspace_id);
	keep(&at, &bundle->value.created_at);
	keep(&at, &bundle->value.source);
	keep(&at, &bundle->value.detail);
	keep(&at, &bundle->value.profiles.packed);
	keep(&at, &bundle->value.declarations.packed);
	wr_assert(at == (char *)&bundle[1] + bytes);
	return bundle;
}

void wr_bundles_add(struct wr_bundles *self, struct wr_bundle *bundle, uint64_t sequence)
{
	struct wr_bundle *older = find_oldest(self, bundle->value.id);
	uint32_t place;

	bundle->sequence = sequence;
	self->bytes += bundle->text_bytes;
	if (older != NULL) {
		older = newest_of(older);
		wr_assert(older->sequence < sequence);
		self->bytes -= older->text_bytes;
		older->newer = bundle;
		return;
	}
	wr_assert(self->count < self->capacity);
	place = place_of(self, bundle->value.id, false);
	memmove(self->slots + place + 1, self->slots + place, array_bytes(self->count - place));
	self->slots[place] = bundle;
	self->count++;
}

void wr_bundles_show(struct wr_bundles *self, uint64_t sequence)
{
	for (uint32_t i = 0; i < self->count; i++) {
		while (self->slots[i]->newer != NULL &&
		       self->slots[i]->newer->sequence <= sequence) {
			struct wr_bundle *old = self->slots[i];

			self->slots[i] = old->newer;
			wr_bundles_discard(self, old);
		}
	}
}
