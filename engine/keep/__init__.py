"""Keep what programs did, for as long as it is true.

``records``   what a program did, as a file
``key``       what that depends on, as one word
``versions``  and which distributions it does
``files``     whole writes, and a lock for one build
"""
