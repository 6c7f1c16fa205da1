"""The other side: the defences of a prediction service against thieves.

    change the answers    `responses`: a new defence is a function (n, K) -> (n, K) there
    notice the queries    `prada` by their distances (`prada_distance`, `prada_normality`),
                          `hoda` by how hard the victim found them
    mark the answers      `dawn`: a copy that learned them gives itself away
    answer privately      `pate`, with the noise of `mechanisms` and the bill of `rdp`

`parse` reads the words of the command line, 'noise:0.1'; a new defence may get one there.
"""

from mstheft.defend import dawn, hoda, mechanisms, parse, pate, prada, rdp, responses

named = parse  # its name before it became `parse`

__all__ = ["dawn", "hoda", "mechanisms", "named", "parse", "pate", "prada", "rdp", "responses"]
