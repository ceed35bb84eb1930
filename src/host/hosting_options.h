/*
 * hosting_options — the options that every program of ours has for the Runtime it hosts: tables for
 * a struct wr_hosting.
 */
#ifndef WR_HOST_HOSTING_OPTIONS_H
#define WR_HOST_HOSTING_OPTIONS_H

#include "bytes/buf.h"
#include "host/hosting.h"
#include "host/options.h"
#include "host/settings.h"

#include <stdbool.h>

/* Who it is: rows without a title. */
extern const struct wr_option wr_hosting_name_options[];
/* The groups about its Workers, its store, and how much is kept. */
extern const struct wr_option wr_hosting_options[];
/* How much is given at once: rows without a title. */
extern const struct wr_option wr_hosting_limit_options[];

/* What no option can say alone. False: the message says what does not go together. */
bool wr_hosting_is_sound(const struct wr_hosting *hosting, struct wr_buf *message);
/* The same of its profiles, when the settings were read; finds the default. */
bool wr_hosting_settle_profiles(struct wr_hosting *hosting, struct wr_settings *settings,
				struct wr_buf *message);

#endif
