"""What the tests of the documentation share."""

from installed import installed as installed
