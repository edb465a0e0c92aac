package errortexts

var transport = []text{}
