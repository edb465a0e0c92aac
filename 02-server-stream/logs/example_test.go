package logs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/memserver"
)

// A tickServer sends three entries, then ends the stream.
type tickServer struct {
	logsv1.UnimplementedLogServiceServer
}

func (tickServer) StreamLogs(
	_ *logsv1.LogRequest, stream grpc.ServerStreamingServer[logsv1.LogEntry],
) error {
	for _, text := range []string{"one", "two", "three"} {
		if err := stream.Send(&logsv1.LogEntry{Message: text}); err != nil {
			return err
		}
	}
	return nil // ends the stream with OK
}

func printAll(ctx context.Context, client logsv1.LogServiceClient) error {
	stream, err := client.StreamLogs(ctx, &logsv1.LogRequest{})
	if err != nil {
		return err // for example, no connection; the handler's status comes from Recv
	}
	for {
		entry, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil // the server ended the stream with OK
		}
		if err != nil {
			return err // any other status
		}
		fmt.Println(entry.GetMessage())
	}
}

// The smallest server stream sends three messages and ends with OK.
func Example_threeMessages() {
	conn, stop, err := memserver.Dial(func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, tickServer{})
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = printAll(ctx, logsv1.NewLogServiceClient(conn))
	fmt.Println("end:", err)
	// Output:
	// one
	// two
	// three
	// end: <nil>
}

func ExampleTail() {
	log := logs.NewLog(100)
	conn, stop, err := memserver.Dial(func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, &logs.LogServer{Log: log})
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	log.Append("GET /cart 200", false)
	log.Append("GET /cart 500", false)
	log.Drain() // as a server does when it shuts down

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	last := uint64(0)
	client := logsv1.NewLogServiceClient(conn)
	for e, err := range logs.Tail(ctx, client, &logsv1.LogRequest{Follow: true}) {
		if err != nil {
			fmt.Println(err)
			break
		}
		last = e.GetSequence() // to resume after
		fmt.Println(last, e.GetMessage())
	}
	// Output:
	// 1 GET /cart 200
	// 2 GET /cart 500
	// rpc error: code = Unavailable desc = shutting down; resume after 2
}
