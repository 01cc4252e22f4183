"""The probabilities that VP8 begins with, and how likely each of them is to be replaced.

By RFC 6386: of coefficients in section 13.5, their replacement in 13.4, both of motion vectors
in 17.2, of modes in 16.2. Of coefficients there are 11 for each of 4 types of blocks, 8
bands and 3 contexts, in this order; a line has the three contexts of a band.
"""

from __future__ import annotations

COEFFICIENTS = bytes.fromhex(
    """
    8080808080808080808080  8080808080808080808080  8080808080808080808080
    fd88feffe4db8080808080  bd81f2ffe3d5ffdb808080  6a7ee3fcd6d1ffff808080
    0162f8ffece2ffff808080  b585eefeddeaff9a808080  4e86caf7c6b4ffdb808080
    01b9f9fff3ff8080808080  b896f7ffece08080808080  4d6ed8ffece68080808080
    0165fbfff1ff8080808080  aa8bf1fcecd1ffff808080  2574c4f3e4ffffff808080
    01ccfefff5ff8080808080  cfa0faffee808080808080  6667e7ffd3ab8080808080
    0198fcfff0ff8080808080  b187f3ffeae18080808080  5081d3ffc2e08080808080
    0101ff8080808080808080  f601ff8080808080808080  ff80808080808080808080
    c623eddfc1bba2a0919b3e  832dc6ddacb0dc9dfcdd01  442f92d095a7dda2ffdf80
    0195f1ffdde0ffff808080  b88deafddedcffc7808080  5163b5f2b0bef9caffff80
    0181e8fdd6c5f2c4ffff80  6379d2fac9c6ffca808080  175ba3f2aabbf7d2ffff80
    01c8f6ffeaff8080808080  6db2f1ffe7f5ffff808080  2c82c9fdcdc0ffff808080
    0184effbdbd1ffa5808080  5e88e1fbdabeffff808080  1664aef5baa1ffc7808080
    01b6f9ffe8eb8080808080  7c8ff1ffe3ea8080808080  234db5fbc1d3ffcd808080
    019df7ffece7ffff808080  798debffe1e3ffff808080  2d63bcfbc3d9ffe0808080
    0101fbffd5ff8080808080  cb01f8ffff808080808080  8901b1ffe0ff8080808080
    fd09f8fbcfd0ffc0808080  af0de0f3c1b9f9c6ffff80  4911abdda1b3eca7ffea80
    015ff7fdd4b7ffff808080  ef5af4fad3d1ffff808080  9b4dc3f8bcc3ffff808080
    0118effbdadbffcd808080  c933dbffc4ba8080808080  452ebeefc9daffe4808080
    01bffbffff808080808080  dfa5f9ffd5ff8080808080  8d7cf8ffff808080808080
    0110f8ffff808080808080  be24e6ffecff8080808080  9501ff8080808080808080
    01e2ff8080808080808080  f7c0ff8080808080808080  f080ff8080808080808080
    0186fcffff808080808080  d53efaffff808080808080  375dff8080808080808080
    8080808080808080808080  8080808080808080808080  8080808080808080808080
    ca18d5ebbabfdca0f0afff  7e26b6e8a9b8e4aeffbb80  3d2e8adb97b2f0aaffd880
    0170e6fac7bff79fffff80  a66de4fcd3d7ffae808080  274da2e8acb4f5b2ffff80
    0134dcf6c6c7f9dcffff80  7c4abff3b7c1faddffff80  184782db9aaaf3b6ffff80
    01b6e1f9dbf0ffe0808080  9596e2fcd8cdffab808080  1c6caaf2b7c2fedfffff80
    0151e6fccccbffc0808080  7b66d1f7bcc4ffe9808080  145f99f3a4adffcb808080
    01def8ffd8d58080808080  a8aff6fcebcdffff808080  2f74d7ffd3d4ffff808080
    0179ecfdd4d6ffff808080  8d54d5fcc9caffdb808080  2a50a0f0a2b9ffcd808080
    0101ff8080808080808080  f401ff8080808080808080  ee01ff8080808080808080
    """
)
"""Of coefficients, 1 in 256ths each."""
COEFFICIENT_UPDATES = bytes.fromhex(
    """
    ffffffffffffffffffffff  ffffffffffffffffffffff  ffffffffffffffffffffff
    b0f6ffffffffffffffffff  dff1fcffffffffffffffff  f9fdfdffffffffffffffff
    fff4fcffffffffffffffff  eafefeffffffffffffffff  fdffffffffffffffffffff
    fff6feffffffffffffffff  effdfeffffffffffffffff  fefffeffffffffffffffff
    fff8feffffffffffffffff  fbfffeffffffffffffffff  ffffffffffffffffffffff
    fffdfeffffffffffffffff  fbfefeffffffffffffffff  fefffeffffffffffffffff
    fffefdfffeffffffffffff  fafffefffeffffffffffff  feffffffffffffffffffff
    ffffffffffffffffffffff  ffffffffffffffffffffff  ffffffffffffffffffffff
    d9ffffffffffffffffffff  e1fcf1fdfffffeffffffff  eafaf1fafdfffdfeffffff
    fffeffffffffffffffffff  dffefeffffffffffffffff  eefdfefeffffffffffffff
    fff8feffffffffffffffff  f9feffffffffffffffffff  ffffffffffffffffffffff
    fffdffffffffffffffffff  f7feffffffffffffffffff  ffffffffffffffffffffff
    fffdfeffffffffffffffff  fcffffffffffffffffffff  ffffffffffffffffffffff
    fffefeffffffffffffffff  fdffffffffffffffffffff  ffffffffffffffffffffff
    fffefdffffffffffffffff  faffffffffffffffffffff  feffffffffffffffffffff
    ffffffffffffffffffffff  ffffffffffffffffffffff  ffffffffffffffffffffff
    bafbfaffffffffffffffff  eafbf4feffffffffffffff  fbfbf3fdfefffeffffffff
    fffdfeffffffffffffffff  ecfdfeffffffffffffffff  fbfdfdfefeffffffffffff
    fffefeffffffffffffffff  fefefeffffffffffffffff  ffffffffffffffffffffff
    fffeffffffffffffffffff  fefeffffffffffffffffff  feffffffffffffffffffff
    ffffffffffffffffffffff  feffffffffffffffffffff  ffffffffffffffffffffff
    ffffffffffffffffffffff  ffffffffffffffffffffff  ffffffffffffffffffffff
    ffffffffffffffffffffff  ffffffffffffffffffffff  ffffffffffffffffffffff
    ffffffffffffffffffffff  ffffffffffffffffffffff  ffffffffffffffffffffff
    f8ffffffffffffffffffff  fafefcfeffffffffffffff  f8fef9fdffffffffffffff
    fffdfdffffffffffffffff  f6fdfdffffffffffffffff  fcfefbfefeffffffffffff
    fffefcffffffffffffffff  f8fefdffffffffffffffff  fdfffefeffffffffffffff
    fffbfeffffffffffffffff  f5fbfeffffffffffffffff  fdfdfeffffffffffffffff
    fffbfdffffffffffffffff  fcfdfeffffffffffffffff  fffeffffffffffffffffff
    fffcffffffffffffffffff  f9fffeffffffffffffffff  fffffeffffffffffffffff
    fffffdffffffffffffffff  faffffffffffffffffffff  ffffffffffffffffffffff
    ffffffffffffffffffffff  feffffffffffffffffffff  ffffffffffffffffffffff
    """
)
"""That a frame replaces that of a coefficient."""
LUMA_MODES = bytes((112, 86, 140, 37))
"""Of how a macroblock of a frame that refers to others is predicted, its luma."""
CHROMA_MODES = bytes((162, 101, 204))
"""The same of its chroma."""
MOTION_VECTORS = bytes.fromhex(
    """
    a280e192ac93d6279c8081844b91b2ceeffefe
    a480ccaa77eb8ce6e48082824a94b4cbecfefe
    """
)
"""Of motion vectors, 19 each for rows and columns."""
MOTION_VECTOR_UPDATES = bytes.fromhex(
    """
    edf6fdfdfefefefefefefefefefefafafcfefe
    e7f3f5fdfefefefefefefefefefefbfbfefefe
    """
)
"""That a frame replaces that of a motion vector."""
