package sensor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// jsonReading is a reading as JSON.
type jsonReading struct {
	SensorID  string  `json:"sensor_id"`
	UnixNanos int64   `json:"unix_nanos"`
	Value     float64 `json:"value"`
}

func newJSON(i int) jsonReading {
	r := reading(i)
	return jsonReading{r.GetSensorId(), r.GetUnixNanos(), r.GetValue()}
}

// postEach posts each reading in an HTTP/1.1 request of its own.
func postEach(r *harness.Run) (harness.Do, error) {
	url, client, err := loopback.HTTP(r, http.HandlerFunc(count), loopback.HTTPOptions{})
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		for i := range n {
			body, err := json.Marshal(newJSON(i))
			if err != nil {
				return nil, err
			}
			if err := post(r, client, url, bytes.NewReader(body), 1); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}, nil
}

// postLines posts all readings in one HTTP/1.1 request, a line each.
func postLines(r *harness.Run) (harness.Do, error) {
	url, client, err := loopback.HTTP(r, http.HandlerFunc(count), loopback.HTTPOptions{})
	if err != nil {
		return nil, err
	}
	return func(n int) ([]harness.Metric, error) {
		body, pipe := io.Pipe()
		defer body.Close()
		go func() { pipe.CloseWithError(writeLines(pipe, n)) }()
		return nil, post(r, client, url, body, n)
	}, nil
}

func writeLines(w io.Writer, n int) error {
	buffered := bufio.NewWriterSize(w, 32<<10)
	encoder := json.NewEncoder(buffered)
	for i := range n {
		if err := encoder.Encode(newJSON(i)); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// post posts n readings, and compares n with the server's answer.
func post(r *harness.Run, client *http.Client, url string, body io.Reader, n int) error {
	req, err := http.NewRequestWithContext(r.Context, http.MethodPost, url, body)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var got int64
	if _, err := fmt.Fscan(resp.Body, &got); err != nil {
		return err
	}
	return check(got, n)
}

// count answers with the number of readings in the request.
func count(w http.ResponseWriter, req *http.Request) {
	decoder := json.NewDecoder(req.Body)
	for n := 0; ; n++ {
		var reading jsonReading
		err := decoder.Decode(&reading)
		if errors.Is(err, io.EOF) {
			_, _ = fmt.Fprintln(w, n) // the client misses what it does not receive
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
}
