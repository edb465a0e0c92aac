// Package pitfalls is a catalogue of mistakes in streaming code. Each has a
// folder with the broken code, the fixed code, and a test of both.
package pitfalls

import (
	abandonedstream "example.com/streams/06-pitfalls/abandoned-stream"
	bufconndns "example.com/streams/06-pitfalls/bufconn-dns"
	closesendisnotclose "example.com/streams/06-pitfalls/closesend-is-not-close"
	concurrentclosesend "example.com/streams/06-pitfalls/concurrent-closesend"
	concurrentrecv "example.com/streams/06-pitfalls/concurrent-recv"
	concurrentsend "example.com/streams/06-pitfalls/concurrent-send"
	deadpeer "example.com/streams/06-pitfalls/dead-peer"
	defercancel "example.com/streams/06-pitfalls/defer-cancel"
	forwardinggoroutine "example.com/streams/06-pitfalls/forwarding-goroutine"
	gracefulstop "example.com/streams/06-pitfalls/graceful-stop"
	handlerpanic "example.com/streams/06-pitfalls/handler-panic"
	handlerreturnseof "example.com/streams/06-pitfalls/handler-returns-eof"
	headerblocks "example.com/streams/06-pitfalls/header-blocks"
	ignoredcontext "example.com/streams/06-pitfalls/ignored-context"
	"example.com/streams/06-pitfalls/internal/play"
	messagereuse "example.com/streams/06-pitfalls/message-reuse"
	missingclosesend "example.com/streams/06-pitfalls/missing-closesend"
	missingresponse "example.com/streams/06-pitfalls/missing-response"
	noreconnect "example.com/streams/06-pitfalls/no-reconnect"
	openisnotaccepted "example.com/streams/06-pitfalls/open-is-not-accepted"
	pinnedbackend "example.com/streams/06-pitfalls/pinned-backend"
	plainerror "example.com/streams/06-pitfalls/plain-error"
	receivelimit "example.com/streams/06-pitfalls/receive-limit"
	recvaftererror "example.com/streams/06-pitfalls/recv-after-error"
	retrypolicy "example.com/streams/06-pitfalls/retry-policy"
	sendafterreturn "example.com/streams/06-pitfalls/send-after-return"
	sendbeforerecv "example.com/streams/06-pitfalls/send-before-recv"
	sendeof "example.com/streams/06-pitfalls/send-eof"
	sendisnotdelivery "example.com/streams/06-pitfalls/send-is-not-delivery"
	sharedstate "example.com/streams/06-pitfalls/shared-state"
	slowsubscriber "example.com/streams/06-pitfalls/slow-subscriber"
	streaminterceptor "example.com/streams/06-pitfalls/stream-interceptor"
	streamquota "example.com/streams/06-pitfalls/stream-quota"
	timeoutpermessage "example.com/streams/06-pitfalls/timeout-per-message"
	toomanypings "example.com/streams/06-pitfalls/too-many-pings"
	uninterruptiblerecv "example.com/streams/06-pitfalls/uninterruptible-recv"
)

// Catalogue lists the pitfalls in the order and the groups of README.md.
var Catalogue = []play.Pitfall{
	// Read these three first.
	missingclosesend.Pitfall,
	ignoredcontext.Pitfall,
	concurrentsend.Pitfall,

	// It hangs.
	gracefulstop.Pitfall,
	sendbeforerecv.Pitfall,
	slowsubscriber.Pitfall,
	noreconnect.Pitfall,
	uninterruptiblerecv.Pitfall,
	headerblocks.Pitfall,
	streamquota.Pitfall,

	// It leaks.
	abandonedstream.Pitfall,
	closesendisnotclose.Pitfall,
	forwardinggoroutine.Pitfall,

	// The error is lost, or says something else.
	sendeof.Pitfall,
	openisnotaccepted.Pitfall,
	plainerror.Pitfall,
	retrypolicy.Pitfall,
	handlerreturnseof.Pitfall,
	missingresponse.Pitfall,
	defercancel.Pitfall,
	bufconndns.Pitfall,

	// Messages are lost, or wrong.
	concurrentrecv.Pitfall,
	recvaftererror.Pitfall,
	sendisnotdelivery.Pitfall,
	messagereuse.Pitfall,
	concurrentclosesend.Pitfall,
	sendafterreturn.Pitfall,
	sharedstate.Pitfall,

	// It worked until production.
	deadpeer.Pitfall,
	receivelimit.Pitfall,
	streaminterceptor.Pitfall,
	handlerpanic.Pitfall,
	timeoutpermessage.Pitfall,
	toomanypings.Pitfall,
	pinnedbackend.Pitfall,
}
