package upload

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/protobuf/proto"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// put is an HTTP request with the file as its body.
func put(o loopback.HTTPOptions) startFunc {
	return func(r *harness.Run, w work) (harness.Do, error) {
		url, client, err := loopback.HTTP(r, putHandler(w), o)
		if err != nil {
			return nil, err
		}
		return w.do(r, func(ctx context.Context, source io.Reader, size int64) (*uploadv1.UploadReceipt, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, source)
			if err != nil {
				return nil, err
			}
			req.ContentLength = size
			resp, err := client.Do(req)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return nil, fmt.Errorf("PUT: %s", resp.Status)
			}
			return readReceipt(resp.Body)
		}), nil
	}
}

func putHandler(w work) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		s := w.sink()
		_, err := io.CopyBuffer(s, onlyReader{req.Body}, make([]byte, 64<<10))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := proto.Marshal(s.receipt())
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = rw.Write(answer) // the client misses what it does not receive
	})
}
