/*
 * folders — the runner's part of wr_test_make_folder (harness.h): a test says in shared memory what
 * it made, and the runner removes what is left of it.
 */
#ifndef WR_TEST_FOLDERS_H
#define WR_TEST_FOLDERS_H

struct wr_test_folders;

/* Before the test is forked; NULL: there is no memory. */
struct wr_test_folders *wr_test_folders_new(void);
/* In the test, before it begins. */
void wr_test_folders_use(struct wr_test_folders *self);
/* Behind it: removes them all, with what is in them. */
void wr_test_folders_free(struct wr_test_folders *self);

#endif
