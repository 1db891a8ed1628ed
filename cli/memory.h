/*
 * What a long-running process does with memory that it does not need any more.
 */
#ifndef UW_CLI_MEMORY_H
#define UW_CLI_MEMORY_H

/* At the start, before there are threads: large blocks go back to the system as soon as they are freed. */
void uw_memory_start(void);
/* Gives back what is free between blocks in use, which takes some milliseconds: after much work, not after each. */
void uw_memory_give_back(void);

#endif
