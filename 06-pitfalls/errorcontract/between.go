package errorcontract

import (
	"time"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// connectionEnds are ways in which one side, or keepalive, ends a
// connection with an open stream.
var connectionEnds = []termination{
	{name: "client Close of the connection", end: func(f *fixture) error { return f.conn.Close() }},
	{name: "MaxConnectionAge and its grace are over", serverOptions: serverKeepalive(keepalive.ServerParameters{
		MaxConnectionAge: 100 * time.Millisecond, MaxConnectionAgeGrace: 100 * time.Millisecond,
	}), end: untilHandlerIsCanceled},
	{name: "keepalive timeout", virtual: "a client waits for at least 10 s before it sends a keepalive ping",
		serverOptions: serverKeepalive(keepalive.ServerParameters{Time: time.Minute, Timeout: time.Second}),
		dialOptions:   clientKeepalive(), end: func(f *fixture) error {
			f.network.Conn().HalfOpen()
			return untilHandlerIsCanceled(f)
		}},
	{name: "too_many_pings", virtual: "a client waits for at least 10 s before it sends a keepalive ping",
		dialOptions: clientKeepalive(), end: untilHandlerIsCanceled},
	{name: "GOAWAY that leaves the stream out", answer: goAway, end: peerAnswers},
}

// peerEnds are ways in which a proxy ends a stream, or a server that
// breaks the protocol.
var peerEnds = []termination{
	html("200 text/html", "200"),
	html("400 text/html", "400"),
	html("401 text/html", "401"),
	html("403 text/html", "403"),
	html("404 text/html", "404"),
	html("429 text/html", "429"),
	html("500 text/html", "500"),
	html("502 text/html", "502"),
	html("503 text/html", "503"),
	html("504 text/html", "504"),
	reset("NO_ERROR", http2.ErrCodeNo),
	reset("PROTOCOL_ERROR", http2.ErrCodeProtocol),
	reset("INTERNAL_ERROR", http2.ErrCodeInternal),
	reset("FLOW_CONTROL_ERROR", http2.ErrCodeFlowControl),
	reset("STREAM_CLOSED", http2.ErrCodeStreamClosed),
	reset("REFUSED_STREAM", http2.ErrCodeRefusedStream),
	reset("CANCEL", http2.ErrCodeCancel),
	reset("ENHANCE_YOUR_CALM", http2.ErrCodeEnhanceYourCalm),
	reset("INADEQUATE_SECURITY", http2.ErrCodeInadequateSecurity),
	{name: "REFUSED_STREAM before the headers", beforeFirst: true, answer: func(p *peer) { p.reset(http2.ErrCodeRefusedStream) }},
	{name: "END_STREAM without trailers", answer: func(p *peer) { p.data(true, nil) }, end: peerAnswers},
	{name: "trailers without grpc-status", answer: func(p *peer) { p.headers(true, "x-proxy", "1") }, end: peerAnswers},
	{name: "half of a message, then OK", end: peerAnswers, answer: func(p *peer) {
		p.data(false, message[:6])
		p.headers(true, "grpc-status", "0")
	}},
	{name: "bytes that are no frame", answer: func(p *peer) { p.raw("HTTP/1.1 502 Bad Gateway\r\n\r\n") }, end: peerAnswers},
}

func html(name, status string) termination {
	return termination{name: "HTTP " + name, beforeFirst: true, answer: func(p *peer) {
		p.headers(false, ":status", status, "content-type", "text/html")
		p.data(true, []byte("oops"))
	}}
}

func reset(name string, code http2.ErrCode) termination {
	return termination{name: "RST_STREAM " + name, answer: func(p *peer) { p.reset(code) }, end: peerAnswers}
}

func (p *peer) reset(code http2.ErrCode) {
	p.write(func(f *http2.Framer) error { return f.WriteRSTStream(p.stream, code) })
}

// goAway says that no stream will be answered.
func goAway(p *peer) {
	p.write(func(f *http2.Framer) error { return f.WriteGoAway(0, http2.ErrCodeNo, nil) })
}

func peerAnswers(f *fixture) error {
	f.answer(f.peer)
	return nil
}

func serverKeepalive(p keepalive.ServerParameters) []grpc.ServerOption {
	return []grpc.ServerOption{grpc.KeepaliveParams(p)}
}

func clientKeepalive() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithKeepaliveParams(keepalive.ClientParameters{
		Time: 10 * time.Second, Timeout: time.Second, PermitWithoutStream: true,
	})}
}

func untilHandlerIsCanceled(f *fixture) error {
	<-f.handler.Context().Done()
	return nil
}
