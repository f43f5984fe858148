package dev.ossicle.tools.browser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Addresses that may not be visited, however they are written. */
class TestAddressGuard {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1",
                "127.9.9.9",
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.1",
                "100.64.0.1",
                "100.127.255.255",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "192.0.0.1",
                "192.0.2.1",
                "198.18.0.1",
                "198.51.100.1",
                "203.0.113.9",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::1",
                "fe80::1",
                "fc00::1",
                "fd00:ec2::254",
                "ff02::1",
                "::ffff:127.0.0.1",
                "::ffff:10.0.0.1",
                "64:ff9b::7f00:1",
                "2001:db8::1",
                "2001::1",
                "2002:7f00:1::",
                "2002:a9fe:a9fe::1",
                "::7f00:1",
                "fec0::1",
                "192.88.99.1",
                "198.19.255.255",
                "239.255.255.250",
                "64:ff9b:1::1",
                "100::1",
                "2001:10::1",
                "2001:20::1",
                "2001:1ff::1",
                "2002:c0a8:101::",
                "2002:6440:1::",
                "3fff::1",
                "3fff:fff:ffff::",
                "5f00::1",
                "::ffff:100.64.0.1",
                "::ffff:0:7f00:1",
                "fdff:ffff::1",
                "fe80::1%0",
                "4000::1"
            })
    void thesePlacesAreNotPublic(String address) throws IOException {
        assertThat(AddressGuard.isPublic(InetAddress.getByName(address))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1.1.1.1",
                "100.63.0.1",
                "100.128.0.1",
                "172.15.0.1",
                "172.32.0.1",
                "9.9.9.9",
                "2606:4700::1111",
                "2001:4860:4860::8888",
                "2001:200::1",
                "2002:808:808::1",
                "2a00:1450::1",
                "192.0.1.1",
                "192.88.98.1",
                "198.51.99.1",
                "203.0.112.1",
                "::ffff:8.8.8.8",
                "198.17.0.1",
                "223.255.255.255"
            })
    void thesePlacesArePublic(String address) throws IOException {
        assertThat(AddressGuard.isPublic(InetAddress.getByName(address))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://localhost/",
                "http://127.0.0.1/",
                "http://[::1]/",
                "http://2130706433/",
                "http://0x7f000001/",
                "http://169.254.169.254/latest/meta-data/",
                "http://127.1/",
                "http://[::ffff:127.0.0.1]/",
                "http://0/"
            })
    void theFetcherDoesNotConnect(String url) throws IOException {
        try (Fetcher fetcher = new Fetcher(FetchLimits.DEFAULT)) {
            assertThatThrownBy(() -> fetcher.fetch(url))
                    .isInstanceOf(IOException.class)
                    .hasMessageMatching("(?s).*(not public|not a URL|not known|nodename|No address|0x7f000001).*");
        }
    }

    @Test
    void onlyTheWebIsFetched() throws IOException {
        try (Fetcher fetcher = new Fetcher(FetchLimits.DEFAULT)) {
            for (String url : new String[] {
                "file:///etc/passwd",
                "ftp://1.1.1.1/",
                "http://1.1.1.1:22/",
                "http://user@1.1.1.1/",
                "jar:http://x",
                "http:///x",
                "http://a b/",
                ""
            }) {
                assertThatThrownBy(() -> fetcher.fetch(url)).as(url).isInstanceOf(IOException.class);
            }
        }
    }
}
