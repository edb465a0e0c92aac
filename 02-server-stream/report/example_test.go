package report_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing/fstest"
	"time"

	"google.golang.org/grpc"

	"example.com/streams/02-server-stream/report"
	reportv1 "example.com/streams/02-server-stream/report/v1"
	"example.com/streams/internal/memserver"
)

func ExampleDownload() {
	conn, stop, err := memserver.Dial(func(s grpc.ServiceRegistrar) {
		reportv1.RegisterReportServiceServer(s, &report.ReportServer{
			FS: fstest.MapFS{"sales": {Data: []byte(strings.Repeat("7", 40_000))}},
		})
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop()
	client := reportv1.NewReportServiceClient(conn)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	size, err := report.Download(ctx, client, "sales", io.Discard)
	fmt.Println(size, err)
	_, err = report.Download(ctx, client, "../sales", io.Discard)
	fmt.Println(err)
	// Output:
	// 40000 <nil>
	// rpc error: code = InvalidArgument desc = report_id: must be a plain file name, got "../sales"
}
