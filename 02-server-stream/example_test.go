package serverstream_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing/fstest"

	"google.golang.org/grpc"

	serverstream "example.com/streams/02-server-stream"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/internal/bufnet/embedded"
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
		return err
	}
	for {
		entry, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil // the server ended the stream with OK
		}
		if err != nil {
			return err // the status of any other end
		}
		fmt.Println(entry.GetMessage())
	}
}

// The smallest server stream: three messages and OK.
func ExampleLogServer() {
	conn, stop := connect(func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, tickServer{})
	})
	defer stop()
	err := printAll(context.Background(), logsv1.NewLogServiceClient(conn))
	fmt.Println("end:", err)
	// Output:
	// one
	// two
	// three
	// end: <nil>
}

func ExampleFollow() {
	log := serverstream.NewLog(100)
	conn, stop := connect(func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, &serverstream.LogServer{Log: log})
	})
	defer stop()
	log.Append("GET /cart 200", false)
	log.Append("GET /cart 500", false)
	log.Close() // as a server does when it shuts down

	last := uint64(0)
	err := serverstream.Follow(context.Background(), logsv1.NewLogServiceClient(conn),
		&logsv1.LogRequest{Follow: true},
		func(e *logsv1.LogEntry) error {
			last = e.GetSequence() // to resume from
			fmt.Println(last, e.GetMessage())
			return nil
		})
	fmt.Println(err)
	// Output:
	// 1 GET /cart 200
	// 2 GET /cart 500
	// rpc error: code = Unavailable desc = the server is shutting down; resume after 2
}

func ExampleDownload() {
	conn, stop := connect(func(s grpc.ServiceRegistrar) {
		reportv1.RegisterReportServiceServer(s, &serverstream.ReportServer{
			FS: fstest.MapFS{"sales": {Data: []byte(strings.Repeat("7", 40_000))}},
		})
	})
	defer stop()
	client := reportv1.NewReportServiceClient(conn)

	size, err := serverstream.Download(context.Background(), client, "sales", io.Discard)
	fmt.Println(size, err)
	_, err = serverstream.Download(context.Background(), client, "../sales", os.Stdout)
	fmt.Println(err)
	// Output:
	// 40000 <nil>
	// rpc error: code = InvalidArgument desc = report_id: "../sales" is not a plain file name
}

// connect serves what register adds, in memory.
func connect(register func(grpc.ServiceRegistrar)) (*grpc.ClientConn, func()) {
	server := embedded.Serve(register)
	conn, err := server.NewClient()
	if err != nil {
		panic(err)
	}
	return conn, func() {
		conn.Close()
		_ = server.Close()
	}
}
