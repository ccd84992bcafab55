"""Every fact of the pages that are judged is held."""

import pytest

from tests.claims.ledger import is_judged, standing
from tests.claims.sentences import names


@pytest.mark.parametrize("page", [*filter(is_judged, names())])
def test_the_page_states_no_fact_that_nothing_holds(page: str) -> None:
    faults = standing(page).faults
    assert not faults, "\n".join(faults)
