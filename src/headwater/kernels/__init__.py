"""The technique of compiled code: the decorator and its cache, bit tricks, random numbers. Rooms own their kernels."""
