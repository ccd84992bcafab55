"""Measure what pages show as measurements: ``make bench``.

``loop_speed``   seven ways to run a loop
``build_speed``  builds of the guide, by us and by others
``generators``   the guide, written for each of them
``serve_speed``  how soon an edit is served
``gpu_log``      what TensorFlow logs where there is no GPU; not a part of it
``machine``      what was measured on
"""
