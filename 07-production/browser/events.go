package browser

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// errPosition is the answer to a position that is not the id of an event.
var errPosition = errors.New("after: must be LOG:SEQUENCE, the id of an event")

// parseRequest returns the request for the entries that a browser asks for.
// EventSource sends Last-Event-ID when it connects again, and then the URL is
// that of its first request.
func parseRequest(r *http.Request) (*logsv1.LogRequest, error) {
	req := &logsv1.LogRequest{Follow: true, Bookmarks: true}
	req.Contains = strings.ToValidUTF8(r.FormValue("grep"), "\uFFFD") // as a browser would
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.FormValue("after")
	}
	if id == "" {
		return req, nil // from the oldest entry on
	}
	colon := strings.LastIndex(id, ":")
	if colon < 0 {
		return nil, errPosition
	}
	var badLog, badSequence error
	req.LogId, badLog = url.QueryUnescape(id[:colon])
	req.After, badSequence = strconv.ParseUint(id[colon+1:], 10, 64)
	if badLog != nil || badSequence != nil || !utf8.ValidString(req.GetLogId()) {
		return nil, errPosition
	}
	return req, nil
}

// position returns the id of an event: the log and the sequence, so that an
// id of another log is noticed.
func position(e *logsv1.LogEntry) string {
	// Escaped, because a line break would end the field.
	return fmt.Sprintf("%s:%d", url.QueryEscape(e.GetLogId()), e.GetSequence())
}

// An eventWriter writes server-sent events. Its methods must not be called
// concurrently.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration // of each event
}

func newEventWriter(w http.ResponseWriter, timeout time.Duration) *eventWriter {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would collect events
	return &eventWriter{w, http.NewResponseController(w), timeout}
}

// send writes an event, and waits until the browser has room for it, but not
// longer than the timeout.
func (w *eventWriter) send(event string) error {
	if err := w.control.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return err
	}
	if _, err := w.w.Write([]byte(event + "\n\n")); err != nil {
		return err
	}
	if err := w.control.Flush(); err != nil {
		return err
	}
	// Otherwise HTTP/2 resets the stream at the deadline, even if it is quiet.
	return w.control.SetWriteDeadline(time.Time{})
}

// retryAfter tells the browser when to connect again after the stream has
// ended.
func (w *eventWriter) retryAfter(d time.Duration) error {
	return w.send(fmt.Sprintf("retry: %d", d.Milliseconds()))
}

// randomRetry returns 0.5 to 1.5 s, so that the browsers of a gateway that
// restarts do not come back all at once.
func randomRetry() time.Duration { return 500*time.Millisecond + rand.N(time.Second) }

// entry sends an entry or a bookmark.
func (w *eventWriter) entry(e *logsv1.LogEntry) error {
	if e.GetBookmark() {
		// The empty data is needed: an event without any sets the browser's
		// Last-Event-ID, but the page does not hear of it.
		return w.send("event: bookmark\nid: " + position(e) + "\ndata:")
	}
	data, err := json.Marshal(map[string]any{ // without a line break
		"time":    e.GetTimestamp().AsTime(),
		"message": e.GetMessage(),
		"partial": e.GetPartial(),
	})
	if err != nil {
		return err
	}
	return w.send("id: " + position(e) + "\ndata: " + string(data))
}

// end tells the browser why the call has ended, if connecting again with the
// same position would not help. After other errors it may, and the response
// just ends. Errors of send come here too, when nobody reads any more.
func (w *eventWriter) end(err error) {
	var event string
	switch status.Code(err) {
	case codes.OutOfRange:
		event = "event: gone\nid: :0\ndata: " // the id of the oldest entry
	case codes.InvalidArgument, codes.Unauthenticated, codes.PermissionDenied, codes.Unimplemented:
		event = "event: failed\ndata: "
	default:
		return
	}
	message := strings.NewReplacer("\r", " ", "\n", " ").Replace(status.Convert(err).Message())
	_ = w.send(event + message) // fails only if the browser has left
}
