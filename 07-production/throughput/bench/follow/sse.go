package follow

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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

// sseFollowers speak HTTP/1.1. They read the data of each event.
func sseFollowers(ctx context.Context, group *errgroup.Group, n network, followers []*follower) {
	client := &http.Client{Transport: &http.Transport{DialContext: n.dialTCP}}
	for _, f := range followers {
		n.call()
		group.Go(func() error { return ended(ctx, f.tailSSE(ctx, client, n.addr)) })
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
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue // an id, which the data repeats, or an empty line
		}
		if err := f.seenJSON(data); err != nil {
			return err
		}
	}
	return lines.Err()
}
