package pitfalls

import (
	abandonedstream "example.com/streams/06-pitfalls/abandoned-stream"
	concurrentsend "example.com/streams/06-pitfalls/concurrent-send"
	deadpeer "example.com/streams/06-pitfalls/dead-peer"
	gracefulstop "example.com/streams/06-pitfalls/graceful-stop"
	ignoredcontext "example.com/streams/06-pitfalls/ignored-context"
	"example.com/streams/06-pitfalls/internal/demo"
	missingclosesend "example.com/streams/06-pitfalls/missing-closesend"
	recvaftererror "example.com/streams/06-pitfalls/recv-after-error"
	sendbeforerecv "example.com/streams/06-pitfalls/send-before-recv"
	sendeof "example.com/streams/06-pitfalls/send-eof"
	slowsubscriber "example.com/streams/06-pitfalls/slow-subscriber"
)

// Demos holds the demos by the name of the pitfall. Most pitfalls have none.
var Demos = map[string]demo.Demo{
	"abandoned-stream":  abandonedstream.Demo,
	"concurrent-send":   concurrentsend.Demo,
	"dead-peer":         deadpeer.Demo,
	"graceful-stop":     gracefulstop.Demo,
	"ignored-context":   ignoredcontext.Demo,
	"missing-closesend": missingclosesend.Demo,
	"recv-after-error":  recvaftererror.Demo,
	"send-before-recv":  sendbeforerecv.Demo,
	"send-eof":          sendeof.Demo,
	"slow-subscriber":   slowsubscriber.Demo,
}
