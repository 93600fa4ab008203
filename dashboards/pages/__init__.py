"""One file a board: each draws a whole page from one state, one generation and one reader."""
