"""The other side: the defences of a prediction service against thieves.

    change the answers    a function of `responses`; `named` knows its word, 'noise:0.1'
    notice the queries    `prada`, and its distance in `prada_distance`
    answer privately      `pate`, with the noise of `mechanisms` and the bill of `rdp`

A new defence of the answers is a function (n, K) -> (n, K) in `responses`, and a word in `named`.
"""

from mstheft.defend import mechanisms, named, pate, prada, rdp, responses

__all__ = ["mechanisms", "named", "pate", "prada", "rdp", "responses"]
