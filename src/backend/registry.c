#include "backend/registry.h"

#include "check.h"

static uint32_t index_of(const struct wr_registry *self, const struct wr_runtime_handle *handle)
{
	uint32_t i = 0;

	while (i < self->count && self->handles[i] != handle)
		i++;
	return i;
}

enum wr_status wr_registry_add(struct wr_registry *self, struct wr_runtime_handle *handle)
{
	if (wr_registry_find(self, handle->runtime_id) != NULL)
		return WR_EXISTS;
	if (self->count == WR_REGISTRY_COUNT_MAX)
		return WR_FULL;
	self->handles[self->count++] = handle;
	return WR_OK;
}

static void free_handle(struct wr_registry *self, struct wr_runtime_handle *handle)
{
	if (self->on_remove != NULL)
		self->on_remove(self->context, handle);
	handle->ops->free(handle);
}

enum wr_status wr_registry_replace(struct wr_registry *self, struct wr_runtime_handle *old,
				   struct wr_runtime_handle *handle)
{
	struct wr_runtime_handle *same = wr_registry_find(self, handle->runtime_id);
	uint32_t i = index_of(self, old);

	wr_assert(i < self->count && handle != old);
	if (same != NULL && same != old)
		return WR_EXISTS;
	self->handles[i] = handle;
	free_handle(self, old);
	return WR_OK;
}

void wr_registry_place(struct wr_registry *self, struct wr_runtime_handle *handle, uint32_t index)
{
	uint32_t at = 0;

	while (at < self->count && self->handles[at] != handle)
		at++;
	wr_assert(at < self->count && index < self->count);
	for (; at < index; at++)
		self->handles[at] = self->handles[at + 1];
	for (; at > index; at--)
		self->handles[at] = self->handles[at - 1];
	self->handles[index] = handle;
}

void wr_registry_remove(struct wr_registry *self, struct wr_runtime_handle *handle)
{
	uint32_t i = index_of(self, handle);

	wr_assert(i < self->count);
	for (self->count--; i < self->count; i++)
		self->handles[i] = self->handles[i + 1];
	free_handle(self, handle);
}

struct wr_runtime_handle *wr_registry_find(const struct wr_registry *self,
					   struct wr_view runtime_id)
{
	for (uint32_t i = 0; i < self->count; i++)
		if (wr_view_equal(self->handles[i]->runtime_id, runtime_id))
			return self->handles[i];
	return NULL;
}

struct wr_runtime_handle *wr_registry_find_host(const struct wr_registry *self,
						struct wr_view host_id)
{
	struct wr_runtime_overview overview;

	for (uint32_t i = 0; i < self->count; i++) {
		self->handles[i]->ops->overview(self->handles[i], &overview);
		if (wr_view_equal(overview.host_id, host_id))
			return self->handles[i];
	}
	return NULL;
}

uint32_t wr_registry_stream_count(const struct wr_registry *self)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < self->count; i++)
		if (self->handles[i]->ops->stream_count != NULL)
			count += self->handles[i]->ops->stream_count(self->handles[i]);
	return count;
}

void wr_registry_drain(struct wr_registry *self)
{
	for (uint32_t i = 0; i < self->count; i++)
		if (self->handles[i]->ops->drain != NULL)
			self->handles[i]->ops->drain(self->handles[i]);
}

void wr_registry_deinit(struct wr_registry *self)
{
	while (self->count > 0)
		wr_registry_remove(self, self->handles[self->count - 1]);
}
