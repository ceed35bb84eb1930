#include "host/listening.h"

#include <errno.h>
#include <string.h>

static void say(struct wr_buf *message, const char *text)
{
	wr_buf_append_view(message, wr_view_of_string(text));
}

/* Goes before the name of the option. */
static const char *remedy_of(int os_error)
{
	switch (os_error) {
	case EADDRINUSE:
		return "something else is there: choose another ";
	case EADDRNOTAVAIL:
		return "this machine has no such address: choose another ";
	case EACCES:
		return "choose a port above 1023, or a path that may be written, with ";
	default:
		return "choose another ";
	}
}

struct wr_http_server *wr_listen(struct wr_reactor *reactor, struct wr_allocator *allocator,
				 const struct wr_http_server_config *config,
				 const struct wr_http_app *app, const struct wr_address *address,
				 const char *text, const char *flag, struct wr_buf *message)
{
	struct wr_error error = {.status = WR_OK};
	struct wr_http_server *server =
		wr_http_server_new(reactor, allocator, config, app, address, &error);

	if (server != NULL)
		return server;
	say(message, "cannot listen on ");
	say(message, text);
	say(message, ": ");
	say(message, error.os_error != 0 ? strerror(error.os_error) : wr_status_text(error.status));
	say(message, "; ");
	if (error.status == WR_NO_MEMORY) {
		say(message, "give it more with --max-memory");
		return NULL;
	}
	say(message, remedy_of(error.os_error));
	say(message, flag);
	return NULL;
}
