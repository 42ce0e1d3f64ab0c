//! What a board is: links, LEDs, watchdog and budgets.
