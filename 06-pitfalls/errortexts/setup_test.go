package errortexts

var setup = []text{}
