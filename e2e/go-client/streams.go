package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	utilexec "k8s.io/client-go/util/exec"
)

// ways are the protocols over which commands and ports are reached.
var ways = []string{"WebSocket", "SPDY", "WebSocket with SPDY behind it"}

// streamChecks need a pod `default/web` whose kubelet knows the commands cat, fail and size, and which has an echo in
// capitals on port 80.
func streamChecks(given settings) ([]check, error) {
	w, err := newWorld(given)
	if err != nil {
		return nil, err
	}
	var checks []check
	for _, way := range ways {
		add := func(name string, run func(ctx context.Context, way string) error) {
			checks = append(checks, check{name + " over " + way, func(ctx context.Context) error { return run(ctx, way) }})
		}
		add("a command reads its input to the end", w.execReads)
		add("a command's exit code", w.execFails)
		add("a terminal and its sizes", w.execSizes)
		add("a command that is not there", w.execMissing)
		add("attach", w.attaches)
		add("port-forward", w.forwards)
	}
	return checks, nil
}

func isRefused(err error) bool {
	return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
}

func (w *world) executor(way string, subresource string, options any) (remotecommand.Executor, error) {
	request := w.client.CoreV1().RESTClient().Post().Resource("pods").Namespace("default").Name("web").SubResource(subresource)
	switch options := options.(type) {
	case *corev1.PodExecOptions:
		request.VersionedParams(options, scheme.ParameterCodec)
	case *corev1.PodAttachOptions:
		request.VersionedParams(options, scheme.ParameterCodec)
	}
	first, err := remotecommand.NewWebSocketExecutor(w.config, http.MethodGet, request.URL().String())
	if err != nil || way == "WebSocket" {
		return first, err
	}
	second, err := remotecommand.NewSPDYExecutor(w.config, http.MethodPost, request.URL())
	if err != nil || way == "SPDY" {
		return second, err
	}
	return remotecommand.NewFallbackExecutor(first, second, isRefused)
}

func (w *world) exec(ctx context.Context, way string, streams remotecommand.StreamOptions, command ...string) error {
	executor, err := w.executor(way, "exec", &corev1.PodExecOptions{Container: "main", Command: command,
		Stdin: streams.Stdin != nil, Stdout: streams.Stdout != nil, Stderr: streams.Stderr != nil, TTY: streams.Tty})
	if err != nil {
		return err
	}
	return executor.StreamWithContext(ctx, streams)
}

func (w *world) execReads(ctx context.Context, way string) error {
	text := strings.Repeat("a line of some length\n", 20_000)
	var out, failed bytes.Buffer
	err := w.exec(ctx, way, remotecommand.StreamOptions{Stdin: strings.NewReader(text), Stdout: &out, Stderr: &failed}, "cat")
	if err != nil {
		return err
	}
	return expect(out.String() == text && failed.Len() == 0, "%d bytes came back, %d on stderr", out.Len(), failed.Len())
}

func (w *world) execFails(ctx context.Context, way string) error {
	var out, failed bytes.Buffer
	err := w.exec(ctx, way, remotecommand.StreamOptions{Stdout: &out, Stderr: &failed}, "fail", "9")
	code, isCode := err.(utilexec.CodeExitError)
	return expect(isCode && code.Code == 9 && failed.String() == "it went wrong\n", "%v, stderr %q", err, failed.String())
}

func (w *world) execMissing(ctx context.Context, way string) error {
	var out bytes.Buffer
	err := w.exec(ctx, way, remotecommand.StreamOptions{Stdout: &out}, "nothing")
	return expect(err != nil && strings.Contains(err.Error(), "executable file not found"), "%v", err)
}

// sizes of a terminal that somebody makes larger.
type sizes chan remotecommand.TerminalSize

func (s sizes) Next() *remotecommand.TerminalSize {
	size, isOpen := <-s
	if !isOpen {
		return nil
	}
	return &size
}

func (w *world) execSizes(ctx context.Context, way string) error {
	queue := make(sizes, 2)
	queue <- remotecommand.TerminalSize{Width: 80, Height: 24}
	queue <- remotecommand.TerminalSize{Width: 120, Height: 50}
	var out bytes.Buffer
	input, keepsOpen := io.Pipe()
	defer keepsOpen.Close()
	defer close(queue)
	err := w.exec(ctx, way, remotecommand.StreamOptions{Stdin: input, Stdout: &out, Tty: true, TerminalSizeQueue: queue}, "size")
	if err != nil {
		return err
	}
	return expect(out.String() == "80x24\n120x50\n", "%q", out.String())
}

// firstLine ends what is attached when it has said its line.
type firstLine struct {
	bytes.Buffer
	stop func()
}

func (l *firstLine) Write(data []byte) (int, error) {
	defer func() {
		if strings.Contains(l.String(), "are you there\n") {
			l.stop()
		}
	}()
	return l.Buffer.Write(data)
}

func (w *world) attaches(ctx context.Context, way string) error {
	executor, err := w.executor(way, "attach", &corev1.PodAttachOptions{Container: "main", Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return err
	}
	own, stop := context.WithCancel(ctx)
	defer stop()
	out := &firstLine{stop: stop}
	input, keyboard := io.Pipe()
	defer keyboard.Close()
	go io.WriteString(keyboard, "are you there\n")
	err = executor.StreamWithContext(own, remotecommand.StreamOptions{Stdin: input, Stdout: out, Stderr: io.Discard})
	return expect(strings.Contains(out.String(), "are you there\n"), "%q, %v", out.String(), err)
}

func (w *world) dialer(way string, at *url.URL) (httpstream.Dialer, error) {
	tunnel, err := portforward.NewSPDYOverWebsocketDialer(at, w.config)
	if err != nil || way == "WebSocket" {
		return tunnel, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(w.config)
	if err != nil {
		return nil, err
	}
	plain := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, at)
	if way == "SPDY" {
		return plain, nil
	}
	return portforward.NewFallbackDialer(tunnel, plain, isRefused), nil
}

func (w *world) forwards(ctx context.Context, way string) error {
	at := w.client.CoreV1().RESTClient().Post().Resource("pods").Namespace("default").Name("web").SubResource("portforward").URL()
	dialer, err := w.dialer(way, at)
	if err != nil {
		return err
	}
	stop, ready, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	forwarder, err := portforward.NewOnAddresses(dialer, []string{"127.0.0.1"}, []string{"0:80"}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		return err
	}
	go func() { ended <- forwarder.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-ended:
		return fmt.Errorf("it does not start: %w", err)
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		return err
	}
	for range 3 {
		if err := shout(fmt.Sprintf("127.0.0.1:%d", ports[0].Local)); err != nil {
			return err
		}
	}
	close(stop)
	return <-ended
}

// shout says something, ends, and reads the answer to its end.
func shout(address string) error {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "hello"); err != nil {
		return err
	}
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		return err
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		return err
	}
	return expect(string(answer) == "HELLO", "%q", answer)
}
