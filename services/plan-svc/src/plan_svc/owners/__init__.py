"""Who answers for a play when nobody is named."""
