package fanout

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// jsonEntry is an entry as JSON.
type jsonEntry struct {
	Sequence  uint64    `json:"sequence"`
	Timestamp time.Time `json:"timestamp"`
	Message   string    `json:"message"`
	LogID     string    `json:"log_id"`
}

// toJSON is called once for each entry.
func toJSON(i *item) []byte {
	text, err := json.Marshal(jsonEntry{
		i.entry.GetSequence(), i.entry.GetTimestamp().AsTime(), i.entry.GetMessage(), i.entry.GetLogId(),
	})
	if err != nil {
		return nil // the follower misses it
	}
	return text
}

func newSSE() (publisher, *grpc.Server, http.Handler) {
	h := newHub(func(i *item) {
		i.text = fmt.Appendf(nil, "id: %d\ndata: %s\n\n", i.entry.GetSequence(), toJSON(i))
	})
	return h, nil, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		controller := http.NewResponseController(w)
		items, leave := h.follow()
		defer leave()
		for {
			select {
			case i := <-items:
				if _, err := w.Write(i.text); err != nil {
					return
				}
				if err := controller.Flush(); err != nil {
					return
				}
			case <-req.Context().Done():
				return
			}
		}
	})
}

// sseFollowers speak HTTP/1.1. They read the id of each event, and do not
// decode the JSON.
func sseFollowers(ctx context.Context, group *errgroup.Group, addr string, followers []*follower) {
	client := &http.Client{Transport: &http.Transport{}}
	for _, f := range followers {
		group.Go(func() error { return ended(ctx, f.tailSSE(ctx, client, addr)) })
	}
}

func (f *follower) tailSSE(ctx context.Context, client *http.Client, addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		id, ok := strings.CutPrefix(lines.Text(), "id: ")
		if !ok {
			continue
		}
		sequence, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return err
		}
		if err := f.seen(sequence); err != nil {
			return err
		}
	}
	return lines.Err()
}
