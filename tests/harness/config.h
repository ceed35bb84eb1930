/* config — settings of worker-runtime for a test that runs the server in its own process. */
#ifndef WR_TESTS_HARNESS_CONFIG_H
#define WR_TESTS_HARNESS_CONFIG_H

#include "harness/harness.h"
#include "host/settings.h"
#include "runtime_server/config.h"

/* Reads a command line, or fails the test. */
static inline void wr_test_config(struct wr_config *config, int argc, const char *const *argv)
{
	static struct wr_settings settings; /* its texts are argv's */
	char storage[512];
	struct wr_buf message;

	wr_buf_init_fixed(&message, storage, sizeof storage);
	wr_settings_init(&settings, &wr_config_options, config, wr_test_allocator());
	CHECK(wr_settings_read(&settings, &message, argc, argv));
	wr_address_parse(&config->serving.address, wr_view_of_string(config->serving.listen));
}

#endif
