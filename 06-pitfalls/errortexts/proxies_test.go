package errortexts

var proxies = []text{}
