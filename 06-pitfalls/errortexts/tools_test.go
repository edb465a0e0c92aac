package errortexts

var tools = []text{}
