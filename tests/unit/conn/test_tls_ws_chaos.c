/* The tests of test_ws_chaos.c, over TLS (relay.h). */
#define RIG_TLS 1
#include "unit/conn/test_ws_chaos.c"
