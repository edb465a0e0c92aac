package httpservertimeout

import "net/http"

// http2 returns HTTP/2 without TLS, beside HTTP/1. A server with TLS has HTTP/2
// by default.
func http2() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true) // for the other pages
	p.SetUnencryptedHTTP2(true)
	return p
}
