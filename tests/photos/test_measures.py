"""What was measured, in words: known names with their unit, unknown ones as they are."""

from photos.measures import told


def test_known_names_come_first_with_label_and_unit():
    measured = {"sharpness": 57.25, "something_new": 0.5, "background_share": 82, "bytes": 46301, "faces": 1}
    assert told(measured) == [
        ("文件大小", "45.2 KB（46,301 字节）"),
        ("人脸", "1 张"),
        ("边缘符合背景的比例", "82%"),
        ("清晰度", "57.25"),
        ("something_new", "0.5"),
    ]


def test_what_is_no_number_breaks_nothing():
    assert told({"brightness": None, "faces": "two", "sharpness": True, "head": [1]}) == [
        ("人脸", "two"),
        ("头部占照片的高度", "[1]"),
        ("面部亮度", "没有测出"),
        ("清晰度", "True"),
    ]


def test_nothing_was_measured():
    assert told({}) == []
