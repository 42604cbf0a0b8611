"""placeholder of routes"""

from bellwether_kit.http import router as routes

router = routes(tags=["imports"])
