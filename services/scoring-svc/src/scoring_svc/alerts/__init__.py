"""Living alerts: one account in trouble is one alert, however many rules fire."""
