package errortexts

var stacks = []text{}
