"""What the tests of forms share with those of pages."""

from tests.reading.conftest import templates as templates
