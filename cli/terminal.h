/*
 * What the log must know about the terminal. Private to cli/log.c and cli/terminal.c.
 */
#ifndef UW_CLI_TERMINAL_H
#define UW_CLI_TERMINAL_H

/* Wipes a progress line that stands on the terminal, so that a line of text does not run into it. */
void uw_terminal_yield(void);

#endif
