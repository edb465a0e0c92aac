package errortexts

var crashes = []text{}
