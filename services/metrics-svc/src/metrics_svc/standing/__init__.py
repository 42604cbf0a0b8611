"""Standing: each account's evidence balance and what puts it in jeopardy, and the bets on people made of them."""
