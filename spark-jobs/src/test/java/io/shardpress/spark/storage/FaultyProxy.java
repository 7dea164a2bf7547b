package io.shardpress.spark.storage;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Passes HTTP/1.1 on to a server, one connection of its own for each of the client's. Keeps what
 * was asked, and when told to answers some requests with 500 or 503 in the server's place, or ends
 * the connection in the midst of a GET's body. Which ones follows from a seed and the request's
 * number.
 */
final class FaultyProxy implements AutoCloseable {
  private final ServerSocket listener;
  private final int serverPort;
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "proxy");
            thread.setDaemon(true);
            return thread;
          });
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final AtomicInteger number = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();
  private final AtomicInteger cut = new AtomicInteger();
  private volatile Faults faults = Faults.NONE;
  private volatile String unlisted = "";

  private FaultyProxy(ServerSocket listener, int serverPort) {
    this.listener = listener;
    this.serverPort = serverPort;
  }

  static FaultyProxy before(int serverPort) {
    try {
      ServerSocket listener = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
      FaultyProxy proxy = new FaultyProxy(listener, serverPort);
      proxy.threads.execute(proxy::accept);
      return proxy;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  int port() {
    return listener.getLocalPort();
  }

  /** All requests since the last {@link #reset}. */
  List<Request> requests() {
    return List.copyOf(requests);
  }

  int refused() {
    return refused.get();
  }

  int cut() {
    return cut.get();
  }

  /** Forgets what was asked and begins anew with these faults. */
  void reset(Faults next) {
    faults = next;
    requests.clear();
    number.set(0);
    refused.set(0);
    cut.set(0);
  }

  /** Leaves objects out of lists whose keys end so, as a store does whose lists are late. */
  void unlist(String end) {
    unlisted = end;
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        threads.execute(() -> serve(client));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void serve(Socket client) {
    try (client;
        Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort)) {
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      InputStream fromClient = client.getInputStream();
      while (pass(fromClient, client.getOutputStream(), server)) {
        client.getOutputStream().flush();
      }
    } catch (IOException e) {
      // One side has gone.
    }
  }

  /** One request and its answer; false where the connection ends with it. */
  private boolean pass(InputStream fromClient, OutputStream toClient, Socket server)
      throws IOException {
    List<String> head = head(fromClient);
    if (head.isEmpty()) {
      return false;
    }
    String[] line = head.get(0).split(" ");
    Request request =
        new Request(
            line[0],
            line[1],
            head.stream().skip(1).map(header -> header.toLowerCase(Locale.ROOT)).toList());
    requests.add(request);
    Faults now = faults;
    SplittableRandom random =
        new SplittableRandom(now.seed() * 1_000_003 + number.getAndIncrement());
    double fate = random.nextDouble();
    if (request.has("expect")) {
      toClient.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      toClient.flush();
      head = head.stream().filter(h -> !h.toLowerCase(Locale.ROOT).startsWith("expect:")).toList();
    }
    if (now.denies(request)) {
      copy(fromClient, OutputStream.nullOutputStream(), request.contentLength());
      String body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
      String answer =
          "HTTP/1.1 403 Forbidden\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
      toClient.write(answer.getBytes(StandardCharsets.US_ASCII));
      return true;
    }
    if (fate < now.errors()) {
      // The request is read to its end; the server never hears of it.
      copy(fromClient, OutputStream.nullOutputStream(), request.contentLength());
      refused.incrementAndGet();
      String status = fate < now.errors() / 2 ? "500 Internal Server Error" : "503 Slow Down";
      toClient.write(
          ("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII));
      return true;
    }
    OutputStream toServer = server.getOutputStream();
    toServer.write((String.join("\r\n", head) + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
    copy(fromClient, toServer, request.contentLength());
    toServer.flush();
    boolean cuts = request.method().equals("GET") && fate > 1 - now.cuts();
    return answer(request, server.getInputStream(), toClient, cuts);
  }

  private boolean answer(
      Request request, InputStream fromServer, OutputStream toClient, boolean cuts)
      throws IOException {
    List<String> head = head(fromServer);
    if (head.isEmpty()) {
      return false;
    }
    List<String> lower = head.stream().map(line -> line.toLowerCase(Locale.ROOT)).toList();
    if (!unlisted.isEmpty() && request.target().contains("list-type=")) {
      list(head, lower, fromServer, toClient);
      return true;
    }
    toClient.write((String.join("\r\n", head) + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
    int status = Integer.parseInt(head.get(0).split(" ")[1]);
    if (request.method().equals("HEAD") || status == 204 || status == 304) {
      return true;
    }
    if (lower.contains("transfer-encoding: chunked")) {
      chunks(fromServer, toClient);
      return true;
    }
    long length = new Request("", "", lower).contentLength();
    if (cuts && length > 1) {
      cut.incrementAndGet();
      copy(fromServer, toClient, length / 2);
      toClient.flush();
      return false;
    }
    copy(fromServer, toClient, length);
    return true;
  }

  /** A list without the objects that it is late with. */
  private void list(
      List<String> head, List<String> lower, InputStream fromServer, OutputStream toClient)
      throws IOException {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    if (lower.contains("transfer-encoding: chunked")) {
      String size = line(fromServer);
      while (true) {
        long length = Long.parseLong(size.replaceFirst(";.*", "").strip(), 16);
        copy(fromServer, whole, length);
        line(fromServer);
        if (length == 0) {
          break;
        }
        size = line(fromServer);
      }
    } else {
      copy(fromServer, whole, new Request("", "", lower).contentLength());
    }
    byte[] listed =
        whole
            .toString(StandardCharsets.UTF_8)
            .replaceAll(
                "<Contents>(?:(?!</Contents>).)*?"
                    + java.util.regex.Pattern.quote(unlisted + "</Key>")
                    + "(?:(?!</Contents>).)*</Contents>",
                "")
            .getBytes(StandardCharsets.UTF_8);
    List<String> others =
        head.stream()
            .filter(
                one ->
                    !one.toLowerCase(Locale.ROOT).matches("(transfer-encoding|content-length):.*"))
            .toList();
    toClient.write(
        (String.join("\r\n", others) + "\r\nContent-Length: " + listed.length + "\r\n\r\n")
            .getBytes(StandardCharsets.ISO_8859_1));
    toClient.write(listed);
  }

  private static void chunks(InputStream from, OutputStream to) throws IOException {
    while (true) {
      String size = line(from);
      to.write((size + "\r\n").getBytes(StandardCharsets.US_ASCII));
      long length = Long.parseLong(size.replaceFirst(";.*", "").strip(), 16);
      copy(from, to, length);
      to.write((line(from) + "\r\n").getBytes(StandardCharsets.US_ASCII));
      if (length == 0) {
        return;
      }
    }
  }

  /** Lines up to the empty one; empty at the end of the stream. */
  private static List<String> head(InputStream in) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      lines.add(line);
    }
    return lines;
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next >= 0 && next != '\n'; next = in.read()) {
      if (next != '\r') {
        line.write(next);
      }
    }
    return line.toString(StandardCharsets.ISO_8859_1);
  }

  private static void copy(InputStream from, OutputStream to, long count) throws IOException {
    byte[] buffer = new byte[1 << 16];
    for (long left = count; left > 0; ) {
      int read = from.read(buffer, 0, (int) Math.min(buffer.length, left));
      if (read < 0) {
        throw new IOException("ended " + left + " bytes early");
      }
      to.write(buffer, 0, read);
      left -= read;
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
