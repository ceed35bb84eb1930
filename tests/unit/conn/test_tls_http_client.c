/* The tests of test_http_client.c, over TLS (relay.h). */
#define RIG_TLS 1
#include "unit/conn/test_http_client.c"
