package protocol

import (
	"context"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
)

// A worker runs the items of one stream.
type worker struct {
	stream   workStream
	run      func(context.Context, string) (string, error)
	accepts  bool          // the client has CAPABILITY_ACCEPTED
	underWay chan struct{} // has an element for each item
	// Has an element during Send: a lock. With a Mutex, synctest.Wait would
	// not return while a Send is blocked.
	sending chan struct{}
}

// work answers one request.
func (w *worker) work(req *jobsv1.WorkRequest) {
	resp := &jobsv1.WorkResponse{Item: req.GetItem(), Done: true}
	input, ok := req.GetEvent().(*jobsv1.WorkRequest_Input)
	if !ok { // the client is newer than this server
		resp.Event = failure(status.New(codes.Unimplemented, "event: must be one that the server knows"))
		w.send(resp)
		return
	}
	if w.accepts {
		accepted := &jobsv1.WorkResponse_Accepted{Accepted: new(jobsv1.Accepted)}
		w.send(&jobsv1.WorkResponse{Item: req.GetItem(), Event: accepted})
	}
	output, err := w.run(w.stream.Context(), input.Input)
	if err != nil {
		resp.Event = failure(status.Convert(err))
	} else {
		resp.Event = &jobsv1.WorkResponse_Output{Output: validText(output)}
	}
	w.send(resp)
}

// send sends a message. If the stream has ended, the message is dropped: the
// handler learns of the end from Recv.
func (w *worker) send(resp *jobsv1.WorkResponse) {
	w.sending <- struct{}{}
	defer func() { <-w.sending }()
	if resp.GetDone() {
		<-w.underWay // before the client can use the credit
	}
	_ = w.stream.Send(resp)
}

func failure(st *status.Status) *jobsv1.WorkResponse_Failure {
	return &jobsv1.WorkResponse_Failure{Failure: &jobsv1.Failure{
		Code: uint32(st.Code()), Message: validText(st.Message()),
	}}
}

// validText makes a text that Send accepts.
func validText(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
