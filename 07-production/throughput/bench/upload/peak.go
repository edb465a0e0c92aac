package upload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"runtime/metrics"
	"time"

	"google.golang.org/grpc"

	uploadv1 "example.com/streams/03-client-stream/upload/v1"
	"example.com/streams/07-production/throughput/bench/harness"
	"example.com/streams/07-production/throughput/bench/loopback"
)

// peak measures the largest heap during an upload of this many MiB.
func peak(name, title string, mib int, rows []row) harness.Comparison {
	c := harness.Comparison{
		Name:   name,
		Title:  title,
		Op:     "1 MiB of the upload; the largest heap of client and server together, in one process",
		Unit:   "peak-heap-MiB",
		N:      mib,
		ShortN: 8,
	}
	for _, row := range rows {
		c.Contenders = append(c.Contenders, harness.Contender{Name: row.name, Start: func(r *harness.Run) (harness.Do, error) {
			do, err := row.start(r, work{})
			if err != nil {
				return nil, err
			}
			return func(n int) ([]harness.Metric, error) {
				runtime.GC() // of what the warm-up has left
				most := watchHeap()
				_, err := do(n)
				return []harness.Metric{{Unit: "peak-heap-MiB", Value: float64(most()) / (1 << 20)}}, err
			}, nil
		}})
	}
	return c
}

// watchHeap reads the size of the heap each millisecond, until most is
// called, which returns the largest size in bytes.
func watchHeap() (most func() uint64) {
	stop, result := make(chan struct{}), make(chan uint64)
	go func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		var largest uint64
		for {
			metrics.Read(heap)
			largest = max(largest, heap[0].Value.Uint64())
			select {
			case <-ticker.C:
			case <-stop:
				result <- largest
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-result
	}
}

// collecting is a server that keeps all chunks until the end, as many
// tutorials do. Its methods may be called concurrently.
type collecting struct {
	uploadv1.UnimplementedUploadServiceServer
}

func (collecting) Upload(stream grpc.ClientStreamingServer[uploadv1.UploadRequest, uploadv1.UploadReceipt]) error {
	var file bytes.Buffer
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return stream.SendAndClose(&uploadv1.UploadReceipt{Size: int64(file.Len())})
		}
		if err != nil {
			return err
		}
		_, _ = file.Write(m.GetChunk()) // never fails
	}
}

// collected is an upload to a collecting server.
func collected(r *harness.Run, w work) (harness.Do, error) {
	conn, err := loopback.GRPC(r, func(s grpc.ServiceRegistrar) {
		uploadv1.RegisterUploadServiceServer(s, collecting{})
	}, loopback.Options{})
	if err != nil {
		return nil, err
	}
	client := uploadv1.NewUploadServiceClient(conn)
	return w.do(r, func(ctx context.Context, source io.Reader, _ int64) (*uploadv1.UploadReceipt, error) {
		stream, err := client.Upload(ctx)
		if err != nil {
			return nil, err
		}
		if err := plain.send(stream, source); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return stream.CloseAndRecv()
	}), nil
}
