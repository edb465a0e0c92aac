package grader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	sensorsv1 "example.com/streams/03-client-stream/exercise/sensors/v1"
	"example.com/streams/internal/grade"
)

// summary sends random readings in random batches.
func summary(t *grade.T, server newServer) {
	client := dial(t, server(func(*sensorsv1.Summary) {}))
	for _, sign := range []float64{0, 1, -1} { // any, warm, and cold readings
		stream, err := client.Report(t.Context())
		t.Code("opening the stream", codes.OK, err)
		readings := draw(t, 1+t.Rand.IntN(50))
		for _, r := range readings {
			if sign != 0 {
				r.Celsius = math.Copysign(max(0.1, math.Abs(r.GetCelsius())), sign)
			}
		}
		_ = stream.Send(&sensorsv1.Batch{}) // is no report, but may be a part of one
		for batch := range slices.Chunk(readings, 1+t.Rand.IntN(7)) {
			_ = stream.Send(&sensorsv1.Batch{Readings: batch}) // CloseAndRecv has the reason
		}
		got, err := stream.CloseAndRecv()
		call := "Report, with an empty batch, and then " + count(len(readings))
		t.Code(call, codes.OK, err)
		t.Equal(call, text(sum(readings)), text(got))
	}
}

// stored ends two reports without a half-close, and completes another one.
func stored(t *grade.T, server newServer) {
	var mu sync.Mutex
	var all []*sensorsv1.Summary
	number := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(all)
	}
	client := dial(t, punctual{server(func(s *sensorsv1.Summary) {
		time.Sleep(time.Second) // a summary that does not wait for this comes too early
		mu.Lock()
		defer mu.Unlock()
		all = append(all, s)
	})})
	for _, end := range []string{"canceled", "passed its deadline"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		half, err := client.Report(ctx)
		t.Code("opening the stream", codes.OK, err)
		_ = half.Send(&sensorsv1.Batch{Readings: draw(t, 3)})
		time.Sleep(30 * time.Second)
		t.Equal("Report, before the client half-closes: the number of Store's calls", 0, number())
		if end == "canceled" {
			cancel()
		}
		time.Sleep(time.Minute)
		t.Equal("Report, after the client "+end+": the number of Store's calls", 0, number())
	}

	readings := draw(t, 3)
	_, err := report(t.Context(), client, &sensorsv1.Batch{Readings: readings})
	t.Code("Report, with 3 readings", codes.OK, err)
	t.Equal("Report, when the client has the summary: the number of Store's calls that have returned", 1, number())
	time.Sleep(time.Minute)
	t.Equal("Report, after the client half-closed: the number of Store's calls", 1, number())
	t.Equal("Report, calling Store", text(sum(readings)), text(all[0]))
}

// refused sends bad readings and waits for the status without a half-close.
func refused(t *grade.T, server newServer) {
	called := false
	client := dial(t, server(func(*sensorsv1.Summary) { called = true }))
	for _, bad := range []float64{100.5, -100.5, math.NaN(), math.Inf(1)} {
		stream, err := client.Report(t.Context())
		t.Code("opening the stream", codes.OK, err)
		readings := append(draw(t, 1+t.Rand.IntN(5)), &sensorsv1.Reading{Celsius: bad})
		readings = append(readings, draw(t, 1+t.Rand.IntN(5))...)
		_ = stream.Send(&sensorsv1.Batch{Readings: readings})
		synctest.Wait()
		call := fmt.Sprintf("Report, with a reading of %v degrees, before a half-close", bad)
		if err := stream.Send(&sensorsv1.Batch{}); !errors.Is(err, io.EOF) {
			t.Wrong(call, "the RPC goes on", "the RPC ends at once")
		}
		t.Code(call, codes.InvalidArgument, stream.RecvMsg(&sensorsv1.Summary{}))
		t.Equal(call+": whether it called Store", false, called)
	}
	for _, limit := range []float64{-100, 100} {
		_, err := report(t.Context(), client, &sensorsv1.Batch{Readings: []*sensorsv1.Reading{{Celsius: limit}}})
		t.Code(fmt.Sprintf("Report, with a reading of %v degrees", limit), codes.OK, err)
	}
	called = false
	_, err := report(t.Context(), client, &sensorsv1.Batch{})
	t.Code("Report, without readings", codes.InvalidArgument, err)
	t.Equal("Report, without readings: whether it called Store", false, called)
}

// batches counts what arrives.
func batches(t *grade.T, send send) {
	for _, n := range []int{0, 1, 2 + t.Rand.IntN(8), 10, 10 + t.Rand.IntN(50)} {
		size := 1 + t.Rand.IntN(9)
		var got []int
		client := dial(t, stub{OnReport: func(stream reports) error {
			for {
				batch, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return stream.SendAndClose(&sensorsv1.Summary{Count: 4711})
				}
				if err != nil {
					return err
				}
				got = append(got, len(batch.GetReadings()))
			}
		}})
		kept := &keeper{SensorServiceClient: client}
		answer, err := send(t.Context(), kept, slices.Values(draw(t, n)), size)
		call := fmt.Sprintf("Send, with %s in batches of %d", count(n), size)
		t.Code(call, codes.OK, err)
		t.Equal(call+": the count in the summary", int64(4711), answer.GetCount())
		var want []int
		for rest := n; rest > 0; rest -= size {
			want = append(want, min(rest, size))
		}
		t.Equal(call+": the sizes of the batches", want, got)
		if kept.changed() {
			t.WrongFor("Send collects all readings before the first message", call,
				"a batch that is changed after stream.Send", "a new batch for each message")
		}
	}
}

// constantMemory looks at what the server has while the readings still come.
func constantMemory(t *grade.T, send send) {
	const size = 4
	received := 0
	client := dial(t, stub{OnReport: func(stream reports) error {
		for {
			batch, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return stream.SendAndClose(&sensorsv1.Summary{})
			}
			if err != nil {
				return err
			}
			received += len(batch.GetReadings())
		}
	}})
	_, err := send(t.Context(), client, func(yield func(*sensorsv1.Reading) bool) {
		for i, r := range draw(t, 5*size) {
			synctest.Wait()
			t.Equal(fmt.Sprintf("Send, in batches of %d, when it has been given %d readings: how many the server has", size, i),
				i/size*size, received)
			if !yield(r) {
				return
			}
		}
	}, size)
	t.Code("Send", codes.OK, err)
}

// reason refuses the first batch. The rest is empty, smaller than a batch, or
// endless.
func reason(t *grade.T, send send) {
	const size = 3
	for _, n := range []int{size, size + 1, math.MaxInt} {
		code := codes.Code(3 + t.Rand.IntN(14)) // no code that a context gives
		if code == codes.DeadlineExceeded {
			code = codes.InvalidArgument
		}
		why := status.Newf(code, "readings: the grader refuses reading %d", t.Rand.IntN(1000))
		client := dial(t, stub{OnReport: func(stream reports) error {
			if _, err := stream.Recv(); err != nil {
				return err
			}
			return why.Err()
		}})
		given := 0
		_, err := send(t.Context(), client, func(yield func(*sensorsv1.Reading) bool) {
			for given < n && yield(&sensorsv1.Reading{Celsius: 20}) {
				synctest.Wait()
				if given++; given == 1000 {
					t.Wrong("Send, after a refusal", "it goes on with a thousand readings", "it stops")
				}
			}
		}, size)
		call := "Send, when the server refuses the first batch"
		if n == size+1 {
			call += ", and the last batch is smaller"
		}
		t.Code(call, code, err)
		t.Equal(call+": the message of the status", why.Message(), status.Convert(err).Message())
	}
}

// early answers OK after the first batch.
func early(t *grade.T, send send) {
	const size = 3
	for _, n := range []int{size + 1, 3 * size} {
		client := dial(t, stub{OnReport: func(stream reports) error {
			batch, err := stream.Recv()
			if err != nil {
				return err
			}
			return stream.SendAndClose(sum(batch.GetReadings()))
		}})
		_, err := send(t.Context(), client, func(yield func(*sensorsv1.Reading) bool) {
			for _, r := range draw(t, n) {
				if !yield(r) {
					return
				}
				synctest.Wait()
			}
		}, size)
		call := fmt.Sprintf("Send, with %s in batches of %d, when the server answers OK after the first", count(n), size)
		t.Code(call, codes.DataLoss, err)
	}
}

// canceled ends the context while the server says nothing.
func canceled(t *grade.T, send send) {
	client := dial(t, stub{OnReport: func(stream reports) error {
		<-stream.Context().Done()
		return stream.Context().Err()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := send(ctx, client, slices.Values(draw(t, 3)), 2)
		ended <- err
	}()
	synctest.Wait()
	cancel()
	synctest.Wait()
	select {
	case err := <-ended:
		t.Code("Send, after a cancel", codes.Canceled, err)
	default:
		t.Wrong("Send, after a cancel", "no return", codes.Canceled)
	}
}

// report sends one batch and half-closes.
func report(
	ctx context.Context, c sensorsv1.SensorServiceClient, batch *sensorsv1.Batch,
) (*sensorsv1.Summary, error) {
	stream, err := c.Report(ctx)
	if err != nil {
		return nil, err
	}
	_ = stream.Send(batch) // CloseAndRecv has the reason
	return stream.CloseAndRecv()
}

// draw returns n random readings.
func draw(t *grade.T, n int) (readings []*sensorsv1.Reading) {
	for range n {
		readings = append(readings, &sensorsv1.Reading{
			Sensor:  fmt.Sprintf("sensor-%d", t.Rand.IntN(100)),
			Celsius: float64(t.Rand.IntN(1999)-999) / 10, // never -0, which proto.CloneOf makes 0
		})
	}
	return readings
}

func sum(readings []*sensorsv1.Reading) *sensorsv1.Summary {
	s := &sensorsv1.Summary{Count: int64(len(readings)), Min: math.Inf(1), Max: math.Inf(-1)}
	for _, r := range readings {
		s.Min, s.Max = min(s.GetMin(), r.GetCelsius()), max(s.GetMax(), r.GetCelsius())
	}
	return s
}

func text(s *sensorsv1.Summary) string {
	return fmt.Sprintf("count %d, min %v, max %v", s.GetCount(), s.GetMin(), s.GetMax())
}

func count(readings int) string {
	if readings == 1 {
		return "1 reading"
	}
	return fmt.Sprintf("%d readings", readings)
}
