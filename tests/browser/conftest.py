"""The fixtures of the tests in a browser: a server over a network, the browser, and who signs in."""

from tests.browser.house import browser, house, sign_in

__all__ = ["browser", "house", "sign_in"]
